import type { CheckpointDiff, DiffComparable, Difference, MemoryDifference } from "../index.js";
import { type Line, styled } from "./line.js";
import type { Role, Style } from "./style.js";

const MARKS: Readonly<Record<Difference["status"], readonly [mark: string, role: Role]>> = {
  added: ["+", "added"],
  removed: ["-", "removed"],
  modified: ["~", "changed"],
};

/** A comparison as text: a block per section, a line per object, changed fields as `old -> new`. */
export function* diffLines(
  oldName: string,
  newName: string,
  diff: CheckpointDiff,
  style: Style,
): Generator<Line> {
  if (diff.differences.length + diff.memory.length === 0) {
    yield `no differences between ${oldName} and ${newName}`;
    return;
  }
  yield style("removed", `--- ${oldName}`);
  yield style("added", `+++ ${newName}`);
  let section = "";
  for (const difference of diff.differences) {
    if (difference.section !== section) {
      section = difference.section;
      yield style("heading", section.toUpperCase());
    }
    yield* differenceLines(difference, style);
  }
  if (diff.memory.length > 0) yield style("heading", "MEMORY");
  for (const memory of diff.memory) yield* memoryLines(memory, style);
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
  { label, added, removed, changed, ranges }: MemoryDifference,
  style: Style,
): Generator<Line> {
  const counts = [
    changed === 0 ? "" : `${changed} changed`,
    added === 0 ? "" : `${added} added`,
    removed === 0 ? "" : `${removed} removed`,
  ].filter(Boolean);
  yield styled`  ${style("changed", `~ ${label}`)}  pages: ${counts.join(", ")}`;
  for (const { start, end, status } of ranges ?? []) yield `      ${start}-${end} ${status}`;
}

function text(value: DiffComparable): string {
  if (value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
