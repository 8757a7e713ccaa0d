import type { Document } from "../../model/document.js";
import { SetContext } from "./context.js";
import { type Finding, type Rule, type RuleFacts, SEVERITIES, type Severity } from "./finding.js";
import { scanImages } from "./scan.js";
import { SET_RULES } from "./set/rules.js";

/** Every rule, in the order in which they are checked; the manual page of findings is made from this list. */
export const RULES: readonly RuleFacts[] = [...SET_RULES];

/** At most so many findings of one rule are kept; the others are counted. */
const MAX_PER_RULE = 1000;

export interface ValidateOptions {
  /** Rules that are not checked. */
  readonly ignore?: readonly string[];
  /** If given, the only rules that are checked. */
  readonly only?: readonly string[];
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

/** Checks a set by itself. Never throws for what is in the images; CrimgError IO when the directory cannot be read. */
export function validate(document: Document, options: ValidateOptions = {}): Verdict {
  const context = new SetContext(document.set);
  const selected = (rule: RuleFacts): boolean =>
    options.ignore?.includes(rule.id) !== true && options.only?.includes(rule.id) !== false;
  const collector = new Collector();
  const rules = SET_RULES.filter(selected);
  for (const rule of rules) collector.run(rule, context);
  return { ...collector.verdict(), checked: checkedOf(context, rules.length) };
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
  readonly #findings: Finding[] = [];
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  readonly #more = new Map<string, number>();

  run<C>(rule: Rule<C>, context: C): void {
    let kept = 0;
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
