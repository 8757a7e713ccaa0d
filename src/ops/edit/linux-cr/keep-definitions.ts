import type { Part } from "../../../formats/linux-cr/parse.js";
import { objrefIndexes, recordsOf } from "./objects.js";
import type { StreamRecords } from "./stream-records.js";

/**
 * Objects are defined before the record that first needs them. Where that was a descriptor which is gone, the next record
 * follows them; behind the last descriptor of a table that may be the queues of its sockets, which have no place for
 * objects before them. Then the last descriptor that stays, or the table's own record, moves behind the objects.
 */
export function keepDefinitions(editor: StreamRecords, table: Part): void {
  const kept = (part: Part): number[] => recordsOf(part).filter((index) => !editor.isDropped(index));
  const descriptors = table.parts.filter(({ rule }) => rule === "descriptor");
  const deferred = table.parts.filter(({ rule }) => rule === "deferred").flatMap(kept);
  const [next] = deferred;
  if (next === undefined) return;
  const last = descriptors.map(kept).findLast((records) => records.length > 0) ?? table.records;
  const from = Math.max(...last);
  const isBetween = [...objrefIndexes(editor).values()].some(
    (index) => index > from && index < next && !editor.isDropped(index),
  );
  if (isBetween) editor.move(last, next);
}
