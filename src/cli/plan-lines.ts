import { type Applied, type CopiedSet, dueText, formatSeconds, type Mention, type Plan } from "../index.js";
import type { Line } from "./line.js";
import type { Style } from "./style.js";
import { type Cell, type Column, rowsOf, tableLines } from "./table.js";

export interface PlanLineOptions {
  readonly style: Style;
  readonly width: number | undefined;
}

const PLACE: readonly Column[] = [
  { head: "IMAGE" },
  { head: "RECORD", align: "right" },
  { head: "FIELD", cut: "start" },
];

/**
 * A plan in full: every change with old and new value, when times expire, similar values left unchanged, and old values
 * in memory. `restartTakes` in nanoseconds.
 */
export function* planLines(
  plan: Plan,
  restartTakes: bigint | undefined,
  options: PlanLineOptions,
): Generator<Line> {
  const { style } = options;
  const images = new Set(plan.changes.map(({ image }) => image)).size;
  yield style(
    "heading",
    `${count(plan.changes.length, "change")} in ${count(images, "image")} of ${plan.set}`,
  );
  if (plan.changes.length > 0)
    yield* tableLines(
      [...PLACE, { head: "OLD", cut: "start" }, { head: "NEW", cut: "start" }],
      rowsOf(plan.changes, ({ image, record, field, before, after, beforeText, afterText }) => [
        image,
        record ?? "",
        field || "(record)",
        { text: valueText(beforeText ?? before), role: "removed" },
        { text: valueText(afterText ?? after), role: "added" },
      ]),
      options,
    );
  if (plan.due.length > 0) {
    yield "";
    yield style("heading", "times");
    yield* tableLines(
      [{ head: "WHAT", cut: "end" }, { head: "BEFORE" }, { head: "AFTER" }, { head: "EXPIRES" }],
      plan.due.map(({ what, before, after }): Cell[] => [
        what,
        { text: formatSeconds(before), role: "removed" },
        { text: formatSeconds(after), role: "added" },
        dueText(after, restartTakes),
      ]),
      options,
    );
  }
  if (plan.newFiles.length > 0) {
    yield "";
    yield style("heading", "files written with the image");
    for (const { hostPath, size } of plan.newFiles) yield `${hostPath}, ${count(size, "byte")}`;
  }
  if (plan.left.length > 0) {
    yield "";
    yield style("heading", "similar, left unchanged");
    yield* tableLines(
      [...PLACE, { head: "VALUE", cut: "start" }, { head: "WHY", cut: "end" }],
      rowsOf(plan.left, ({ image, record, field, value, why }) => [
        image,
        record ?? "",
        field,
        valueText(value),
        why,
      ]),
      options,
    );
  }
  if (plan.mentions !== undefined) yield* mentionLines(plan.mentions, options);
}

/** A summary of what was written. */
export function* appliedLines({ path, entry, head, copied }: Applied, plan: Plan): Generator<Line> {
  if (entry === undefined) yield `${path}: nothing to change`;
  else {
    const names = entry.files.map(({ name }) => name).join(", ");
    yield `${path}: ${count(plan.changes.length, "change")} in ${names}`;
    yield `log head ${head}`;
  }
  if (copied !== undefined) yield* copiedLines(copied);
}

/** How the other files of a new set were made. */
export function* copiedLines({ shared, skipped }: CopiedSet): Generator<Line> {
  const parts = Object.entries(shared)
    .filter(([, names]) => names.length > 0)
    .map(([how, names]) => `${names.length} by ${how}`);
  if (parts.length > 0) yield `other files: ${parts.join(", ")}`;
  if (shared["hard link"].length > 0)
    yield `${shared["hard link"].join(", ")}: hard-linked (no reflinks here); --copy makes a separate copy`;
  if (skipped.length > 0) yield `not copied, not image files: ${skipped.join(", ")}`;
}

function* mentionLines(mentions: readonly Mention[], options: PlanLineOptions): Generator<Line> {
  yield "";
  if (mentions.length === 0) {
    yield "no old values in memory pages";
    return;
  }
  yield options.style("heading", "still in memory (not edited)");
  yield* tableLines(
    [
      { head: "TASK", align: "right" },
      { head: "ADDRESS" },
      { head: "IMAGE" },
      { head: "TEXT", cut: "start" },
    ],
    mentions.map(({ pid, shmid, address, image, text }): Cell[] => [
      pid ?? `shmem ${shmid}`,
      { text: `0x${address.toString(16)}`, role: "address" },
      image,
      text,
    ]),
    options,
  );
}

const MAX_VALUE_LENGTH = 200;

/** A value of a record as text, messages as JSON. */
function valueText(value: unknown): string {
  if (value === undefined) return "(absent)";
  if (typeof value === "string") return value === "" ? '""' : shortened(value);
  if (Buffer.isBuffer(value)) {
    const isText = value.every((byte) => byte >= 0x20 && byte < 0x7f);
    return isText
      ? value.toString("latin1")
      : value.toString("latin1").replace(/\0+$/, (nuls) => `\\0 x${nuls.length}`);
  }
  if (typeof value !== "object" || value === null) return String(value);
  const text = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "bigint" ? item.toString() : item,
  );
  return shortened(text);
}

function shortened(text: string): string {
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
