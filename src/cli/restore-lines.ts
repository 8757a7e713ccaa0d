import {
  type PlannedStep,
  type PreparedRestore,
  type Restart,
  type RestoreOption,
  RULES,
  shellCommand,
} from "../index.js";
import { type ExplanationLook, failureLines, unknownLines } from "./explanation-lines.js";
import { type Line, styled } from "./line.js";
import type { Style } from "./style.js";
import { placeText, verdictLines } from "./verdict-lines.js";

/** What the user chose to ignore. */
export interface GoOn {
  readonly style: Style;
  readonly image: string;
  readonly force: boolean;
  readonly allowUnmatched: boolean;
}

/** What will be done and why: edits, backend, options with reasons, the command line or the steps. */
export function* preparedLines(
  prepared: PreparedRestore,
  steps: readonly PlannedStep[],
  { style }: ExplanationLook,
): Generator<Line> {
  const { backend, because, probe, plan, options, losses } = prepared;
  const changes = plan?.changes.length;
  if (changes !== undefined)
    yield `${changes} change${changes === 1 ? "" : "s"} in a temporary copy of the image`;
  yield `backend ${backend.name} (${because})${probeText(prepared)}`;
  if (probe.able && probe.remark !== undefined) yield `  ${probe.remark}`;
  const line = restoreCommandLine(prepared);
  if (line === undefined) {
    if (losses !== undefined) yield "the set is converted to a temporary stream";
    yield* stepLines(steps, style);
    return;
  }
  yield* optionLines(options, style);
  yield styled`  ${style("good", line)}`;
  if (losses !== undefined) yield "  (crimg converts to a temporary directory)";
}

function probeText({ probe }: PreparedRestore): string {
  if (!probe.able) return ": not available";
  return probe.path === undefined ? "" : `: ${probe.version} (${probe.path})`;
}

/** The steps of the engine, phase by phase. */
function* stepLines(steps: readonly PlannedStep[], style: Style): Generator<Line> {
  let last: string | undefined;
  for (const { phase, task, what, why } of steps) {
    if (phase !== last) yield style("heading", phase);
    last = phase;
    const who = task === undefined ? "" : `task ${task}: `;
    const reason = why === undefined ? "" : style("faint", ` (${why})`);
    yield styled`  ${who}${what}${reason}`;
  }
}

/** The equivalent command line of criu, for a stream after a conversion to a set. Undefined without a program. */
export function restoreCommandLine({ convert, command }: PreparedRestore): string | undefined {
  if (command === undefined) return undefined;
  const restore = shellCommand(command);
  return convert === undefined ? restore : `${shellCommand(convert)} && ${restore}`;
}

/** The options that the images need, each with its reason and origin. */
export function* optionLines(options: readonly RestoreOption[], style: Style): Generator<Line> {
  if (options.length === 0) yield "the images need no options";
  for (const { option, value, reason, objects, from } of options) {
    const words = value === undefined ? option : `${option} ${value}`;
    yield styled`${style("name", words)}  ${reason} (${from})`;
    for (const object of objects) yield style("faint", `    ${object}`);
  }
}

/** Warnings before the restore: of the edits, and of validation. */
export function warningsOf({ plan, verdict }: PreparedRestore): string[] {
  const warnings = verdict.findings.filter(({ severity }) => severity === "warning");
  return [
    ...(plan?.warnings ?? []),
    ...warnings.map(({ id, at, what }) => `${id}: ${[placeText(at), what].filter(Boolean).join(": ")}`),
  ];
}

/** Why the restore will not be started; empty if it will. */
export function* problemLines(
  prepared: PreparedRestore,
  { style, image, force, allowUnmatched }: GoOn,
): Generator<Line> {
  const { probe, plan, verdict, refusals } = prepared;
  const findings = verdict.findings.filter(({ severity }) => severity === "error");
  if (!allowUnmatched) for (const sentence of plan?.unmatched ?? []) yield `nothing matched: ${sentence}`;
  if (!force && findings.length > 0) {
    yield* verdictLines({ ...verdict, findings }, { style, image, rules: RULES, options: [], all: false });
    yield "fix this, or override with --force";
  }
  for (const refusal of refusals) yield refusal;
  // Validation reports what criu cannot restore, unless it is overridden.
  const isSaid = !force && findings.some(({ id }) => id === "CRIU_MISSING");
  if (!probe.able && !isSaid) yield probe.reason;
}

/** How the root task ended, if known. */
export function endedText({ pid, ended }: Extract<Restart, { restored: true }>): string | undefined {
  if (ended === undefined) return undefined;
  return "signal" in ended
    ? `task ${pid} was killed by ${ended.signal}`
    : `task ${pid} ended with status ${ended.status}`;
}

/** Why a restore failed. */
export function* failedLines(
  { reason, explanation }: Extract<Restart, { restored: false }>,
  look: ExplanationLook,
): Generator<Line> {
  const failure = explanation?.failure;
  if (failure === undefined) {
    yield `not restored: ${reason}`;
    if (explanation !== undefined) yield* unknownLines(explanation, look);
  } else {
    yield failure.what === reason ? "not restored:" : `not restored: ${reason}`;
    yield* failureLines(failure, look);
  }
}
