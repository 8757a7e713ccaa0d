import type { Explanation, Failure, LogLine, LogObject } from "../index.js";
import { type Line, styled } from "./line.js";
import type { Style } from "./style.js";
import { type Column, tableLines } from "./table.js";

export interface ExplanationLook {
  readonly style: Style;
  readonly width: number | undefined;
}

/** Of a failure that is not known so many lines are shown. */
const SHOWN_LINES = 12;

const OBJECT_COLUMNS: readonly Column[] = [
  { head: "PID", align: "right" },
  { head: "NAME" },
  { head: "USE" },
  { head: "FILE", cut: "start" },
  { head: "OPEN" },
];

/** Why criu failed, for a person. */
export function* explanationLines(explanation: Explanation, look: ExplanationLook): Generator<Line> {
  const { failure, outcome } = explanation;
  yield look.style("faint", runLine(explanation));
  yield "";
  if (failure !== undefined) yield* failureLines(failure, look);
  else if (outcome === "succeeded") yield "It succeeded: there is nothing to explain.";
  else yield* unknownLines(explanation, look);
}

/** The failure alone: what, where in the log, which tasks, and what mends it. */
export function* failureLines(failure: Failure, look: ExplanationLook): Generator<Line> {
  const { id, what, why, line, objects, mends } = failure;
  yield styled`${look.style("error", id)}  ${what}`;
  yield `  ${why}`;
  yield styled`  ${look.style("faint", logged(line))}`;
  if (objects.length > 0) yield "";
  for (const row of objects.length > 0 ? objectLines(objects, look) : []) yield styled`  ${row}`;
  if (mends.length > 0) yield "";
  for (const { command, effect } of mends) {
    if (command !== undefined) yield styled`  ${look.style("good", command)}`;
    yield `${command === undefined ? "  - " : "      "}${effect}`;
  }
}

function objectLines(objects: readonly LogObject[], { style, width }: ExplanationLook): Iterable<Line> {
  const rows = objects.map(({ pid, comm, use, file, how }) => [pid, comm, use ?? "", file ?? "", how ?? ""]);
  // Columns that say nothing of any object are left away.
  const used = OBJECT_COLUMNS.map((_, at) => rows.some((row) => row[at] !== ""));
  return tableLines(
    OBJECT_COLUMNS.filter((_, at) => used[at]),
    rows.map((row) => row.filter((_, at) => used[at])),
    { style, width: width === undefined ? undefined : width - 2 },
  );
}

/** What criu says, where crimg does not know what it means. */
export function* unknownLines({ lines, last }: Explanation, { style }: ExplanationLook): Generator<Line> {
  if (lines.length === 0) {
    yield "The log holds no error: criu was stopped, crashed, or is still running. It ends:";
    if (last !== undefined) yield `  ${logged(last)}`;
    return;
  }
  yield "crimg does not know this failure. What criu says:";
  for (const line of lines.slice(0, SHOWN_LINES)) yield styled`  ${style("error", logged(line))}`;
  if (lines.length > SHOWN_LINES) yield `  and ${lines.length - SHOWN_LINES} more lines`;
}

function logged({ number, text }: LogLine): string {
  return `line ${number}: ${text}`;
}

function runLine({ log, action, outcome, criuVersion, kernel }: Explanation): string {
  const what = action === "unknown" ? "criu" : action;
  const by = [criuVersion && `criu ${criuVersion}`, kernel && `Linux ${kernel}`].filter(Boolean).join(", ");
  return `${log}: ${what} ${outcome}${by === "" ? "" : ` (${by})`}`;
}
