import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { ControlGroupSet } from "../control-groups.js";
import type { StreamReader } from "./reader.js";

/** TASK_EXTRA.flags: `cgroup_set` is stored. */
export const HAS_CGROUP_SET = 8;

/** The CGROUP_SETs before the first task. */
export function decodeControlGroupSets(reader: StreamReader): ControlGroupSet[] {
  const { image } = reader;
  return (reader.tree.head?.records ?? [])
    .filter((record) => image.kind(record) === RECORDS.CGROUP_SET)
    .map((record) => ({
      id: image.value(record, RECORDS.CGROUP_SET).set_id,
      groups: image
        .text(record)
        .split("\n")
        .filter((line) => line !== ""),
      origin: { ...reader.origin(record), field: "set_id" },
    }));
}

/** The set that a thread is in; undefined for that of whoever restores, and when the image does not say it. */
export function decodeControlGroupSet(reader: StreamReader, part: Part): number | undefined {
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  return extra === undefined || (extra.flags & HAS_CGROUP_SET) === 0
    ? undefined
    : extra.cgroup_set || undefined;
}

const known = new WeakMap<StreamReader, ReadonlyMap<number, readonly string[]>>();

/** The groups of each CGROUP_SET, read once for all threads. */
export function controlGroupsOf(reader: StreamReader): ReadonlyMap<number, readonly string[]> {
  let groups = known.get(reader);
  if (groups === undefined) {
    groups = new Map(decodeControlGroupSets(reader).map((each) => [each.id, each.groups]));
    known.set(reader, groups);
  }
  return groups;
}
