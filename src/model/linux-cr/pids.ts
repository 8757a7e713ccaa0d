import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { isSince } from "../../formats/linux-cr/revisions.js";
import {
  TASK_PIDS,
  TASK_PIDS_0ABE2FE,
  TASK_PIDS_78D18CF,
  TASK_PIDS_C83F38B,
} from "../../formats/linux-cr/tables/head.js";
import type { StreamReader } from "./reader.js";

/** Ids of one task as numbers of the outermost pid namespace of the image; 0 for what lies outside of it. */
export interface TaskIds {
  readonly pid: number;
  readonly ppid: number;
  readonly tgid: number;
  readonly pgid: number;
  readonly sid: number;
  /** The BUFFER that holds them. */
  readonly record: number;
}

/** A process of the stream: the TASK that leads it, and all its threads, itself first. */
export interface Process {
  readonly ids: TaskIds;
  readonly part: Part;
  readonly threads: readonly { readonly tid: number; readonly part: Part }[];
}

/**
 * Processes in the order of the stream, a parent before its children; the TASKs of other threads belong to the one with
 * their tgid. Errors: FormatError for a task without ids.
 */
export function processesOf(reader: StreamReader): Process[] {
  const ids = taskIds(reader);
  const rows = reader.tree.tasks.map((part, i) => {
    const own = ids[i];
    if (own !== undefined) return { part, own };
    const text = `TREE has the ids of ${ids.length} tasks, this is one more`;
    throw reader.image.error(part.records[0] ?? 0, text);
  });
  const others = new Map<number, { tid: number; part: Part }[]>();
  for (const { part, own } of rows) {
    if (own.pid === own.tgid) continue;
    const list = others.get(own.tgid) ?? [];
    others.set(own.tgid, list);
    list.push({ tid: own.pid, part });
  }
  return rows.flatMap(({ part, own }) =>
    own.pid === own.tgid
      ? [{ ids: own, part, threads: [{ tid: own.pid, part }, ...(others.get(own.pid) ?? [])] }]
      : [],
  );
}

/** The ids of all tasks, in the order of the TASK records. Errors: FormatError for tags that no id has. */
export function taskIds(reader: StreamReader): TaskIds[] {
  const { image } = reader;
  const { head } = reader.tree;
  if (head === undefined) return [];
  const array = reader.get(head, RECORDS.TREE).index + 1;
  const { commit } = image.dialect;
  const table = isSince(commit, "b6cdf01")
    ? TASK_PIDS
    : isSince(commit, "78d18cf")
      ? TASK_PIDS_78D18CF
      : isSince(commit, "c83f38b")
        ? TASK_PIDS_C83F38B
        : TASK_PIDS_0ABE2FE;
  const numberOf = tagReader(reader);
  return image.structs(array, table).map(({ vpid, vppid, vtgid, vpgid, vsid }) => ({
    pid: numberOf(vpid, array, false),
    ppid: numberOf(vppid, array, true),
    tgid: numberOf(vtgid, array, false),
    pgid: numberOf(vpgid, array, false),
    sid: numberOf(vsid, array, false),
    record: array,
  }));
}

/**
 * The process, group or session id that a tag stands for, in the outermost pid namespace; 0 for none. `record` names it.
 * Errors: FormatError for a tag that no id has.
 */
export function pidOfTag(reader: StreamReader, tag: number, record: number): number {
  let numberOf = readers.get(reader);
  if (numberOf === undefined) {
    numberOf = tagReader(reader);
    readers.set(reader, numberOf);
  }
  return numberOf(tag, record, false);
}

const readers = new WeakMap<StreamReader, ReturnType<typeof tagReader>>();

/** Since b6cdf01 ids are tags: the first pid object has the tag `offset`, the others follow. Before they are plain. */
function tagReader(reader: StreamReader): (tag: number, record: number, isParent: boolean) => number {
  const { image } = reader;
  const { head } = reader.tree;
  const found = head === undefined ? undefined : reader.find(head, RECORDS.PIDS);
  if (found === undefined) return (number) => number;
  const numbers = rootNumbers(image, found.index + 1);
  const { offset } = found.value;
  return (tag, record, isParent) => {
    if (tag <= 0) return 0;
    // A parent may be written as a place in the list, counted from 1, where the list does not begin with the tag 1.
    const place = isParent && tag < offset ? tag - 1 : tag - offset;
    const number = numbers[place];
    if (number === undefined)
      throw image.error(
        record,
        `a task names the id with the tag ${tag}; there are ${numbers.length} from ${offset} on`,
      );
    return number;
  };
}

/** The number that each pid object has in the outermost namespace: elements of u32 depth and depth + 1 numbers. */
function rootNumbers(image: LinuxCrImage, record: number): number[] {
  const words = image.numbers(record);
  const numbers: number[] = [];
  for (let at = 0; at + 1 < words.length; at += 2 + (words[at] as number)) {
    numbers.push(words[at + 1] as number);
    if ((words[at] as number) < 0) break;
  }
  return numbers;
}
