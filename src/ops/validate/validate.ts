import fs from "node:fs";
import { ioError, UsageError } from "../../io/errors.js";
import type { Document } from "../../model/document.js";
import { salvage } from "../../model/salvaged.js";
import { SetContext } from "./context.js";
import { type Finding, type Rule, type RuleFacts, SEVERITIES, type Severity } from "./finding.js";
import { type CriuFacts, Host } from "./host/host.js";
import { HOST_RULES } from "./host/rules.js";
import { ROOT_RULES } from "./root/rules.js";
import { RootTree } from "./root/tree.js";
import { scanImages } from "./scan.js";
import { SET_RULES } from "./set/rules.js";

/** Every rule, in the order in which they are checked; the manual page of findings is made from this list. */
export const RULES: readonly RuleFacts[] = [...SET_RULES, ...ROOT_RULES, ...HOST_RULES];

/** At most so many findings of one rule are kept; the others are counted. */
const MAX_PER_RULE = 1000;

export interface ValidateOptions {
  /** Directory that stands for `/` of the tasks: the files that restore opens are looked at there. */
  readonly root?: string | undefined;
  /** Patterns of files below `root` that no descriptor names and that must be there. */
  readonly watch?: readonly string[] | undefined;
  /** What is known of criu here: the machine is checked as well. */
  readonly criu?: CriuFacts | undefined;
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

/** How much was looked at. */
export interface Checked {
  readonly rules: number;
  readonly images: number;
  readonly records: number;
  readonly tasks: number;
  readonly files: number;
  readonly locks: number;
}

/**
 * Checks a set: by itself, with `root` against the files there, with `criu` against this machine. What is in the
 * images is told as findings, never thrown. Errors: USAGE for an id that no rule has, or a root that is no directory.
 */
export function validate(document: Document, options: ValidateOptions = {}): Verdict {
  checkIds([...(options.ignore ?? []), ...(options.only ?? [])]);
  const set = new SetContext(salvage(document));
  const collector = new Collector(options);
  collector.run(SET_RULES, set);
  if (options.root !== undefined)
    collector.run(ROOT_RULES, { set, tree: openRoot(options.root), watch: options.watch ?? [] });
  if (options.criu !== undefined) collector.run(HOST_RULES, { set, host: new Host(options.criu) });
  return { ...collector.verdict(), checked: checkedOf(set, collector.rules) };
}

function checkIds(ids: readonly string[]): void {
  const known = new Set(RULES.map(({ id }) => id));
  const wrong = ids.find((id) => !known.has(id));
  if (wrong !== undefined) throw new UsageError(`${wrong} is no rule; crimg validate --rules lists them`);
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

function checkedOf(context: SetContext, rules: number): Checked {
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

class Collector {
  rules = 0;
  readonly #findings: Finding[] = [];
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  readonly #more = new Map<string, number>();

  constructor(readonly options: Pick<ValidateOptions, "ignore" | "only">) {}

  run<C>(rules: readonly Rule<C>[], context: C): void {
    for (const rule of rules)
      if (this.options.ignore?.includes(rule.id) !== true && this.options.only?.includes(rule.id) !== false)
        this.#check(rule, context);
  }

  #check<C>(rule: Rule<C>, context: C): void {
    let kept = 0;
    this.rules++;
    for (const { level = rule.level, ...found } of rule.check(context)) {
      this.#counts[level]++;
      if (kept++ < MAX_PER_RULE) this.#findings.push({ id: rule.id, severity: level, ...found });
      else this.#more.set(rule.id, kept - MAX_PER_RULE);
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
