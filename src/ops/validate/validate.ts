import fs from "node:fs";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { ioError, isCrimgError, UsageError } from "../../io/errors.js";
import type { HostFiles } from "../../linux/host-files.js";
import type { Document } from "../../model/document.js";
import type { Bearer } from "../../model/rights/bearer.js";
import { salvage } from "../../model/salvaged.js";
import { type ImageContext, SetContext } from "./context.js";
import { type Finding, type Found, type Rule, type RuleFacts, SEVERITIES, type Severity } from "./finding.js";
import { type CriuFacts, Host, type SlimFacts } from "./host/host.js";
import { HOST_RULES, SET_HOST_RULES, STREAM_HOST_RULES } from "./host/rules.js";
import { PACKAGE_RULES } from "./package/rules.js";
import { currentIds } from "./retired-ids.js";
import { RIGHTS_RULES, rightsContext } from "./rights.js";
import { type FileUsers, IN_USE_RULES } from "./root/in-use.js";
import { ROOT_RULES, SET_ROOT_RULES, STREAM_ROOT_RULES } from "./root/rules.js";
import { RootTree } from "./root/tree.js";
import { MODEL_RULES } from "./rules/rules.js";
import { scanImages } from "./scan.js";
import { SET_RULES } from "./set/rules.js";
import { recordsByKind, StreamContext } from "./stream/context.js";
import { DAMAGE_FACTS, damage } from "./stream/damage.js";
import { STREAM_RULES } from "./stream/rules.js";
import { SUSPICIOUS_RULES } from "./suspicious/rules.js";

/** A rule with the formats that it is checked in. */
export interface ListedRule extends RuleFacts {
  readonly family: "criu" | "linux-cr" | "both";
}

/** Every rule, in the order in which they are checked; the manual page of findings is made from this list. */
export const RULES: readonly ListedRule[] = listed(
  [
    ...SET_RULES,
    ...PACKAGE_RULES,
    ...MODEL_RULES,
    ...SUSPICIOUS_RULES,
    ...ROOT_RULES,
    ...IN_USE_RULES,
    ...SET_ROOT_RULES,
    ...RIGHTS_RULES,
    ...HOST_RULES,
    ...SET_HOST_RULES,
  ],
  [
    DAMAGE_FACTS,
    ...STREAM_RULES,
    ...MODEL_RULES,
    ...SUSPICIOUS_RULES,
    ...ROOT_RULES,
    ...IN_USE_RULES,
    ...STREAM_ROOT_RULES,
    ...RIGHTS_RULES,
    ...HOST_RULES,
    ...STREAM_HOST_RULES,
  ],
);

function listed(criu: readonly RuleFacts[], linuxCr: readonly RuleFacts[]): ListedRule[] {
  const ids = (rules: readonly RuleFacts[]) => new Set(rules.map(({ id }) => id));
  const inSets = ids(criu);
  const inStreams = ids(linuxCr);
  return [
    ...criu.map((rule) => ({ ...factsOf(rule), family: inStreams.has(rule.id) ? "both" : "criu" }) as const),
    ...linuxCr
      .filter(({ id }) => !inSets.has(id))
      .map((rule) => ({ ...factsOf(rule), family: "linux-cr" }) as const),
  ];
}

function factsOf({ id, level, about, fix }: RuleFacts): RuleFacts {
  return { id, level, about, fix };
}

/** At most so many findings of one rule are kept; the others are counted. */
const MAX_PER_RULE = 1000;

export interface ValidateOptions {
  /** Directory that stands for `/` of the tasks: the files that restore opens are looked at there. */
  readonly root?: string | undefined;
  /** Patterns of files below `root` that no descriptor names and that must be there. */
  readonly watch?: readonly string[] | undefined;
  /** What is known of criu here: the machine is checked as well. */
  readonly criu?: CriuFacts | undefined;
  /** What is known of the slim backend here: the machine is checked as well. */
  readonly slim?: SlimFacts | undefined;
  /** The machine that is checked, this one if undefined. */
  readonly host?: HostFiles | undefined;
  /** What tasks do with the files below `root`, where they are those of this machine. */
  readonly users?: FileUsers | undefined;
  /** The owner of the image, when that is neither root nor the caller's own word: what it asks beyond is told. */
  readonly owner?: Bearer | undefined;
  /** Look for what an intruder leaves too; `only` may name such rules without it. */
  readonly suspicious?: boolean | undefined;
  /** Rules that are not checked. */
  readonly ignore?: readonly string[] | undefined;
  /** If given, the only rules that are checked. */
  readonly only?: readonly string[] | undefined;
}

/** What a check found. */
export interface Verdict {
  /** Whether there is no finding of severity `error`. */
  readonly valid: boolean;
  /** Most severe first, then in the order of the rules and of the images. At most 1,000 of one rule. */
  readonly findings: readonly Finding[];
  /** Findings of each severity, also those that are not kept. */
  readonly counts: Readonly<Record<Severity, number>>;
  /** How many findings of a rule were not kept. */
  readonly more: ReadonlyMap<string, number>;
  readonly checked: Checked;
}

/** How much was looked at. A stream is one image; of a damaged one only what could be read counts. */
export interface Checked {
  readonly rules: number;
  readonly images: number;
  readonly records: number;
  readonly tasks: number;
  readonly files: number;
  readonly locks: number;
}

/**
 * Checks an image: by itself, with `root` against the files there, with `criu` against this machine. What is in the
 * image is told as findings, never thrown. Errors: USAGE for an id that no rule has, or a root that is no directory.
 */
export function validate(document: Document, options: ValidateOptions = {}): Verdict {
  const ids = { ignore: options.ignore?.flatMap(currentIds), only: options.only?.flatMap(currentIds) };
  checkIds([...(ids.ignore ?? []), ...(ids.only ?? [])]);
  const salvaged = salvage(document);
  const collector = new Collector(ids, salvaged.family === "linux-cr");
  if (salvaged.family === "criu") {
    const image = new SetContext(salvaged);
    collector.run(SET_RULES, image);
    const set = document.family === "criu" ? document.packaged?.set : undefined;
    if (set !== undefined) collector.run(PACKAGE_RULES, set);
    collector.run(MODEL_RULES, image);
    surroundings(document.name, collector, image, options, SET_ROOT_RULES, SET_HOST_RULES);
    return { ...collector.verdict(), checked: checkedInSet(image, collector.rules) };
  }
  const image = new StreamContext(salvaged);
  collector.run(STREAM_RULES, image);
  collector.run(MODEL_RULES, image);
  surroundings(document.name, collector, image, options, STREAM_ROOT_RULES, STREAM_HOST_RULES);
  collector.run([{ ...DAMAGE_FACTS, check: () => damage(collector.stopped, collector.hasErrors) }], image);
  return { ...collector.verdict(), checked: checkedInStream(image, collector.rules) };
}

/** The files, the owner and the machine around an image. */
function surroundings<C extends ImageContext>(
  name: string,
  collector: Collector,
  image: C,
  { root, watch = [], criu, slim, host, users, owner, suspicious, only = [] }: ValidateOptions,
  rootRules: readonly Rule<{ image: C; tree: RootTree; watch: readonly string[] }>[],
  hostRules: readonly Rule<{ image: C; host: Host }>[],
): void {
  if (suspicious === true || SUSPICIOUS_RULES.some(({ id }) => only.includes(id)))
    collector.run(SUSPICIOUS_RULES, image);
  if (root !== undefined) {
    const context = { image, tree: openRoot(root), watch };
    collector.run(ROOT_RULES, context);
    collector.run(rootRules, context);
    if (users !== undefined) collector.run(IN_USE_RULES, { ...context, users });
  }
  if (owner !== undefined) collector.run(RIGHTS_RULES, rightsContext(image, name, owner, root));
  if (criu !== undefined || slim !== undefined) {
    const context = { image, host: new Host(criu, slim, host) };
    collector.run(HOST_RULES, context);
    collector.run(hostRules, context);
  }
}

function checkIds(ids: readonly string[]): void {
  const known = new Set(RULES.map(({ id }) => id));
  const wrong = ids.find((id) => !known.has(id));
  if (wrong !== undefined) throw new UsageError(`unknown rule ${wrong}; crimg validate --rules lists them`);
}

function openRoot(root: string): RootTree {
  let isDirectory: boolean;
  try {
    isDirectory = fs.statSync(root).isDirectory();
  } catch (error) {
    throw ioError("look below it", root, error);
  }
  if (!isDirectory) throw new UsageError("the root is no directory", { file: root });
  return new RootTree(root);
}

function checkedInSet(context: SetContext, rules: number): Checked {
  const images = context.share(scanImages);
  const { checkpoint } = context;
  return {
    rules,
    images: images.length,
    records: images.reduce((sum, { records }) => sum + records, 0),
    tasks: checkpoint.tasks.length,
    files: checkpoint.files.all.length,
    locks: checkpoint.locks.length,
  };
}

function checkedInStream(context: StreamContext, rules: number): Checked {
  const { tasks, objects } = context.tree;
  let files = 0;
  for (const { rule } of objects.values()) if (rule === "FILE") files++;
  return {
    rules,
    images: 1,
    records: context.stream.length,
    tasks: tasks.length,
    files,
    locks: context.share(recordsByKind).get(RECORDS.FILE_LOCK)?.length ?? 0,
  };
}

/** Equal for findings that tell the same of a path, however many records, descriptors and tasks have it. */
function sameness(level: Severity, { at, what, expected, found, fix }: Found): string {
  const place = at.path === undefined ? at : { image: at.image, path: at.path };
  return JSON.stringify([level, what, expected, found, fix, place]);
}

class Collector {
  rules = 0;
  /** Rules that could not look at all of a damaged image, and why. */
  readonly stopped = new Map<string, string>();
  readonly #findings: Finding[] = [];
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  readonly #more = new Map<string, number>();

  /** `bearsDamage`: a rule that meets damage is noted in `stopped` instead of ending the check. */
  constructor(
    readonly options: Pick<ValidateOptions, "ignore" | "only">,
    readonly bearsDamage: boolean,
  ) {}

  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  run<C>(rules: readonly Rule<C>[], context: C): void {
    for (const rule of rules)
      if (this.options.ignore?.includes(rule.id) !== true && this.options.only?.includes(rule.id) !== false)
        this.#check(rule, context);
  }

  #check<C>(rule: Rule<C>, context: C): void {
    const kept = new Map<string, Finding & { count: number }>();
    let more = 0;
    this.rules++;
    try {
      for (const { level = rule.level, ...found } of rule.check(context)) {
        const key = sameness(level, found);
        const known = kept.get(key);
        if (known !== undefined) {
          known.count++;
          continue;
        }
        this.#counts[level]++;
        const finding = { id: rule.id, severity: level, ...found, count: 1 };
        if (kept.size < MAX_PER_RULE) {
          kept.set(key, finding);
          this.#findings.push(finding);
        } else this.#more.set(rule.id, ++more);
      }
    } catch (error) {
      // What is in the image never ends the check. The operating system's errors do.
      if (!this.bearsDamage || !isCrimgError(error) || error.code === "IO") throw error;
      this.stopped.set(rule.id, error.message);
    }
  }

  verdict(): Omit<Verdict, "checked"> {
    const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity);
    return {
      valid: this.#counts.error === 0,
      findings: this.#findings.sort((a, b) => rank(a) - rank(b)),
      counts: this.#counts,
      more: this.#more,
    };
  }
}
