import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { structLeaves } from "../../../schema/struct-fields.js";
import type { Edit } from "../plan.js";
import type { StreamRecords } from "./stream-records.js";

/** Takes an object away: its OBJREF, its own records, and those that were put off to the end of the table. Objects that stand inside it stay. */
export function dropObject(editor: StreamRecords, edit: Edit, part: Part): void {
  const announcement = objrefIndexes(editor).get(part.objref ?? 0);
  if (announcement !== undefined) editor.drop(edit, announcement);
  dropPart(editor, edit, part);
  if (part.deferred !== undefined) dropPart(editor, edit, part.deferred);
}

export function dropPart(editor: StreamRecords, edit: Edit, part: Part): void {
  for (const index of recordsOf(part)) editor.drop(edit, index);
}

/** All records of a part and of the parts that repeat in it, in their order. */
export function recordsOf(part: Part): number[] {
  return [...part.records, ...part.parts.flatMap(recordsOf)].sort((a, b) => a - b);
}

/** Where each object is announced, by its number. */
export function objrefIndexes(editor: StreamRecords): ReadonlyMap<number, number> {
  return editor.once("announcements", () => {
    const all = new Map<number, number>();
    for (const index of editor.records(RECORDS.OBJREF))
      all.set(editor.image.value(index, RECORDS.OBJREF).objref, index);
    return all;
  });
}

/** Fields that hold the number of an object, announced or hidden. */
const REFERENCE = /(?:ref|^this|^peer|^peercred|^offset)$/;

/** A number that no object of the stream has, nor any of those that are never announced. */
export function newNumber(editor: StreamRecords): number {
  return editor.once("numbers of new objects", () => ({ next: highestNumber(editor) + 1 })).next++;
}

function highestNumber(editor: StreamRecords): number {
  const { image } = editor;
  let highest = 0;
  for (let index = 0; index < image.length; index++) {
    const table = image.layout(index);
    if (table === undefined) continue;
    for (const { path, value } of structLeaves(table, image.fields(index)))
      if (typeof value === "number" && REFERENCE.test(path)) highest = Math.max(highest, value | 0);
    if (image.kind(index) !== RECORDS.PIDS) continue;
    const { offset, nr_pids } = image.value(index, RECORDS.PIDS);
    highest = Math.max(highest, offset + nr_pids);
  }
  return highest;
}
