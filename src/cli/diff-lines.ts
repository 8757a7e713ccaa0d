import type { CheckpointDiff, DiffComparable, Difference, MemoryDifference } from "../index.js";
import { type Line, styled } from "./line.js";
import type { Role, Style } from "./style.js";

const MARKS: Readonly<Record<Difference["status"], readonly [mark: string, role: Role]>> = {
  added: ["+", "added"],
  removed: ["-", "removed"],
  modified: ["~", "changed"],
};

export interface DiffLook {
  readonly style: Style;
  /** Registers of vectors and floating point one by one, not only their number. */
  readonly allRegisters: boolean;
}

/** Registers that change with every step and say little by themselves. */
const VECTOR_REGISTER = /^(?:[xyz]mm|mm|st|k|v|q|vr|vs|f|fp)\d/;

/**
 * A comparison as text: a block per section, a line per object, changed fields as `old -> new`. Memory, and registers
 * after it, come last.
 */
export function* diffLines(
  oldName: string,
  newName: string,
  diff: CheckpointDiff,
  { style, allRegisters }: DiffLook,
): Generator<Line> {
  if (diff.differences.length + diff.memory.length === 0) {
    yield `no differences between ${oldName} and ${newName}`;
    return;
  }
  yield style("removed", `--- ${oldName}`);
  yield style("added", `+++ ${newName}`);
  const isOfRegisters = ({ section }: Difference): boolean => section === "registers";
  yield* sectionLines(
    diff.differences.filter((each) => !isOfRegisters(each)),
    style,
  );
  if (diff.memory.length > 0) yield style("heading", "MEMORY");
  for (const memory of diff.memory) yield* memoryLines(memory, style);
  const registers = diff.differences.filter(isOfRegisters);
  yield* sectionLines(allRegisters ? registers : registers.map(withoutVectors), style);
}

function* sectionLines(differences: readonly Difference[], style: Style): Generator<Line> {
  let section = "";
  for (const difference of differences) {
    if (difference.section !== section) {
      section = difference.section;
      yield style("heading", section.toUpperCase());
    }
    yield* differenceLines(difference, style);
  }
}

function withoutVectors(difference: Difference): Difference {
  const vectors = difference.changes.filter(({ field }) => VECTOR_REGISTER.test(field));
  if (difference.status !== "modified" || vectors.length === 0) return difference;
  const others = difference.changes.filter((change) => !vectors.includes(change));
  const count = `${vectors.length} registers of vectors or floating point`;
  return { ...difference, changes: others, label: `${difference.label} (and ${count})` };
}

function* differenceLines({ status, label, changes }: Difference, style: Style): Generator<Line> {
  const [mark, role] = MARKS[status];
  const head = style(role, `${mark} ${label}`);
  if (status !== "modified") {
    const fields = changes
      .filter(({ field, old, new: fresh }) => field !== "holders" && !label.startsWith(String(old ?? fresh)))
      .map(({ field, old, new: fresh }) => `${field} ${text(old ?? fresh)}`);
    yield styled`  ${head}${fields.length === 0 ? "" : `  ${fields.join(", ")}`}`;
    return;
  }
  const [first] = changes;
  if (changes.length === 1 && first !== undefined) {
    yield styled`  ${head}  ${first.field} ${text(first.old)} -> ${text(first.new)}`;
    return;
  }
  yield styled`  ${head}`;
  for (const { field, old, new: fresh } of changes) yield `      ${field} ${text(old)} -> ${text(fresh)}`;
}

function* memoryLines(
  { label, added, removed, changed, ranges, bytes }: MemoryDifference,
  style: Style,
): Generator<Line> {
  const counts = [
    changed === 0 ? "" : `${changed} changed`,
    added === 0 ? "" : `${added} added`,
    removed === 0 ? "" : `${removed} removed`,
  ].filter(Boolean);
  yield styled`  ${style("changed", `~ ${label}`)}  pages: ${counts.join(", ")}`;
  for (const { start, end, status } of ranges ?? []) yield `      ${start}-${end} ${status}`;
  for (const { address, old, new: fresh } of bytes ?? []) yield `      ${address} ${old} -> ${fresh}`;
}

function text(value: DiffComparable): string {
  if (value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
