import type { Finding, FindingPlace, RestoreOption, RuleFacts, Severity, Verdict } from "../index.js";
import { type Line, styled } from "./line.js";
import type { Role, Style } from "./style.js";

/** Findings of one kind shown without `--all`. */
const SHOWN = 5;

const ROLES: Readonly<Record<Severity, Role>> = { error: "error", warning: "warning", note: "faint" };

export interface VerdictLinesOptions {
  readonly style: Style;
  /** The image as named by the user. */
  readonly image: string;
  readonly rules: readonly RuleFacts[];
  /** Options that a restore needs, then those that the user must complete. */
  readonly options: readonly RestoreOption[];
  readonly all: boolean;
}

/** The output of `crimg validate`: findings by kind, most severe first, required options, the verdict. */
export function* verdictLines(verdict: Verdict, options: VerdictLinesOptions): Generator<Line> {
  const fixes = new Map(options.rules.map(({ id, fix }) => [id, fix]));
  for (const group of groupsOf(verdict.findings)) {
    const more = verdict.more.get(group[0]?.id ?? "") ?? 0;
    yield* groupLines(group, more, fixes, options);
  }
  if (options.options.length > 0) {
    yield options.style("heading", "criu restore options");
    for (const { option, value, reason } of options.options)
      yield styled`  ${value === undefined ? option : `${option} ${value}`}  ${options.style("faint", reason)}`;
  }
  yield verdictSentence(verdict, options);
}

/** Findings grouped by rule and text, in the order of the first. */
function groupsOf(findings: readonly Finding[]): Iterable<Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.id} ${finding.what}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return groups.values();
}

function* groupLines(
  group: readonly Finding[],
  more: number,
  fixes: ReadonlyMap<string, string>,
  { style, all }: VerdictLinesOptions,
): Generator<Line> {
  const [first] = group;
  if (first === undefined) return;
  yield styled`${style(ROLES[first.severity], first.severity)} ${style("name", first.id)}: ${first.what}`;
  const shown = all ? group : group.slice(0, SHOWN);
  let last: string | undefined;
  for (const finding of shown) {
    const { fix } = finding;
    const line = findingText(finding);
    if (line !== "") yield `  ${line}`;
    // One edit may fix several findings, such as those of many descriptors of one file.
    if (fix !== undefined && fix !== last) yield styled`    ${style("good", fix)}`;
    last = fix;
  }
  const hidden = group.length - shown.length + more;
  if (hidden > 0) yield `  and ${hidden} more${all ? "" : ` (--only ${first.id} --all)`}`;
  const fix = fixes.get(first.id);
  if (fix !== undefined && shown.some(({ fix }) => fix === undefined)) yield styled`  ${style("faint", fix)}`;
}

function findingText({ at, expected, found, count }: Finding): string {
  const compared = [
    expected === undefined ? "" : `expected ${expected}`,
    found === undefined ? "" : `found ${found}`,
  ].filter((part) => part !== "");
  const text = [placeText(at), compared.join(", ")].filter((part) => part !== "").join(": ");
  return count === 1 ? text : `${text} (${count} times)`.trimStart();
}

/** `/srv/log (fd 3 of task 1000, files.img[4].reg)`; in a stream `job.ckpt[12].f_flags at byte 4096`. */
export function placeText({ image, record, offset, field, pid, fd, path }: FindingPlace): string {
  const holder = pid === undefined ? "" : fd === undefined ? `task ${pid}` : `fd ${fd} of task ${pid}`;
  const stored =
    image === undefined
      ? ""
      : `${image}${record === undefined ? "" : `[${record}]`}${fieldText(field)}${offset === undefined ? "" : ` at byte ${offset}`}`;
  const [head, ...rest] = [path ?? "", stored, holder].filter((part) => part !== "");
  if (head === undefined) return "";
  return rest.length === 0 ? head : `${head} (${rest.join(", ")})`;
}

/** The field after a record; an element of a list has no dot before it. */
function fieldText(field: string | undefined): string {
  return field === undefined ? "" : field.startsWith("[") ? field : `.${field}`;
}

function verdictSentence({ valid, counts, checked }: Verdict, { style, image }: VerdictLinesOptions): Line {
  const found = (["error", "warning", "note"] as const).filter((each) => counts[each] > 0);
  const told = found.map((each) => plural(counts[each], each)).join(", ");
  if (!valid) return styled`${style("error", "invalid")}: ${image}: ${told}`;
  const { rules, images, records, tasks, files, locks } = checked;
  const looked = [
    plural(images, "image"),
    plural(records, "record"),
    plural(tasks, "task"),
    plural(files, "open file"),
    plural(locks, "lock"),
  ].join(", ");
  return styled`${style("good", "valid")}: ${image}: ${looked} checked by ${rules} rules${told === "" ? "" : `; ${told}`}`;
}

function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
