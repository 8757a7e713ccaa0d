import type { Explanation, Failure, LogLine, LogObject } from "../index.js";
import { type Line, styled } from "./line.js";
import type { Style } from "./style.js";
import { type Column, tableLines } from "./table.js";

export interface ExplanationLook {
  readonly style: Style;
  readonly width: number | undefined;
}

/** Lines shown of an unknown failure. */
const SHOWN_LINES = 12;

const OBJECT_COLUMNS: readonly Column[] = [
  { head: "PID", align: "right" },
  { head: "NAME" },
  { head: "USE" },
  { head: "FILE", cut: "start" },
  { head: "OPEN" },
];

/** An explanation of why criu failed. */
export function* explanationLines(explanation: Explanation, look: ExplanationLook): Generator<Line> {
  const { failure, outcome } = explanation;
  yield look.style("faint", runLine(explanation));
  yield "";
  if (failure !== undefined) yield* failureLines(failure, look);
  else if (outcome === "unknown") yield* silentLines(explanation);
  else if (outcome === "succeeded") yield "criu succeeded; nothing to explain";
  else yield* unknownLines(explanation, look);
}

/** The failure: what, where in the log, which tasks, and how to fix it. */
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
  // Columns that are empty for all objects are omitted.
  const used = OBJECT_COLUMNS.map((_, at) => rows.some((row) => row[at] !== ""));
  return tableLines(
    OBJECT_COLUMNS.filter((_, at) => used[at]),
    rows.map((row) => row.filter((_, at) => used[at])),
    { style, width: width === undefined ? undefined : width - 2 },
  );
}

/** A log below -v3 of a run that succeeded is as silent as one of a run that was killed. */
function* silentLines({ action, last }: Explanation): Generator<Line> {
  const what = action === "unknown" ? "criu" : `the ${action}`;
  yield `cannot tell whether ${what} succeeded: the log has no error, and criu logs success only with -v3 or more`;
  if (last === undefined) yield "  the log is empty";
}

/** criu's own messages for an unknown failure. */
export function* unknownLines(explanation: Explanation, look: ExplanationLook): Generator<Line> {
  const { lines, likely, last } = explanation;
  const { style } = look;
  if (lines.length === 0) {
    yield "no error in the log: criu was stopped, crashed, or is still running; last line:";
    if (last !== undefined) yield `  ${logged(last)}`;
    return;
  }
  if (likely !== undefined) {
    yield "unknown failure; the likely cause is the first error:";
    yield styled`  ${style("error", logged(likely.line))}`;
  }
  const others = lines.filter((line) => line !== likely?.line);
  if (others.length > 0)
    yield likely === undefined ? "unknown failure; messages of criu:" : "other messages of criu:";
  for (const line of others.slice(0, SHOWN_LINES)) yield styled`  ${style("error", logged(line))}`;
  if (others.length > SHOWN_LINES) yield `  and ${others.length - SHOWN_LINES} more lines`;
  if (likely?.consequence !== undefined) {
    yield "";
    yield "which probably led to:";
    yield* failureLines(likely.consequence, look);
  }
}

function logged({ number, text }: LogLine): string {
  return `line ${number}: ${text}`;
}

function runLine({ log, action, outcome, criuVersion, kernel }: Explanation): string {
  const what = action === "unknown" ? "criu" : action;
  const by = [criuVersion && `criu ${criuVersion}`, kernel && `Linux ${kernel}`].filter(Boolean).join(", ");
  return `${log}: ${what} ${outcome === "unknown" ? "with unknown outcome" : outcome}${by === "" ? "" : ` (${by})`}`;
}
