import type { LinuxCrImage } from "../../../formats/linux-cr/image.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { isSince } from "../../../formats/linux-cr/revisions.js";
import {
  TASK_PIDS,
  TASK_PIDS_0ABE2FE,
  TASK_PIDS_78D18CF,
  TASK_PIDS_C83F38B,
} from "../../../formats/linux-cr/tables/head.js";
import { isCrimgError } from "../../../io/errors.js";

/** An element of the array after TREE: tags since b6cdf01, plain numbers before. */
export interface TaskNumbers {
  readonly vpid: number;
  readonly vppid: number;
  readonly vtgid: number;
  readonly vpgid: number;
  readonly vsid: number;
  /** Undefined where the header set has no nested pid namespaces. */
  readonly depth: number | undefined;
}

/** One id of PIDS: its number in each pid namespace from the outermost in. */
export interface PidObject {
  readonly depth: number;
  readonly numbers: readonly number[];
}

/** The ids at the head of a stream as they are stored, whether right or not. */
export interface StoredTaskNumbers {
  /** Record of the BUFFER after TREE. */
  readonly array: number;
  readonly tasks: readonly TaskNumbers[];
  /** Records and contents of PIDS; undefined before b6cdf01. */
  readonly pids: StoredPids | undefined;
  /** The number in the outermost namespace; undefined for what no id has. */
  numberOf(tag: number): number | undefined;
}

export interface StoredPids {
  readonly record: number;
  readonly offset: number;
  readonly count: number;
  readonly levels: number;
  readonly objects: readonly PidObject[];
  /** Words of the BUFFER that no element uses: 0 when it is filled, below 0 when the last one is cut off. */
  readonly rest: number;
}

/** Records before the first TASK. */
const HEAD_RECORDS = 20;

/** Undefined when the image ends before its task array. */
export function taskNumbers(stream: LinuxCrImage): StoredTaskNumbers | undefined {
  const head = Array.from({ length: Math.min(HEAD_RECORDS, stream.length) }, (_, i) => i);
  const tree = head.find((index) => stream.kind(index) === RECORDS.TREE);
  if (tree === undefined || stream.kind(tree + 1) !== RECORDS.BUFFER) return undefined;
  const pidsRecord = head.find((index) => stream.kind(index) === RECORDS.PIDS);
  try {
    const pids = pidsRecord === undefined ? undefined : storedPids(stream, pidsRecord);
    return {
      array: tree + 1,
      tasks: taskArray(stream, tree + 1),
      pids,
      numberOf: (tag) => (pids === undefined ? tag : pids.objects[tag - pids.offset]?.numbers[0]),
    };
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return undefined;
  }
}

function taskArray(stream: LinuxCrImage, array: number): TaskNumbers[] {
  const { commit } = stream.dialect;
  if (isSince(commit, "b6cdf01")) return stream.structs(array, TASK_PIDS);
  if (isSince(commit, "78d18cf")) return stream.structs(array, TASK_PIDS_78D18CF);
  if (isSince(commit, "c83f38b")) return stream.structs(array, TASK_PIDS_C83F38B);
  return stream.structs(array, TASK_PIDS_0ABE2FE).map((ids) => ({ ...ids, depth: undefined }));
}

function storedPids(stream: LinuxCrImage, record: number): StoredPids | undefined {
  if (stream.kind(record + 1) !== RECORDS.BUFFER) return undefined;
  const { nr_pids: count, nr_vpids: levels, offset } = stream.value(record, RECORDS.PIDS);
  const words = stream.numbers(record + 1);
  const objects: PidObject[] = [];
  let at = 0;
  while (at < words.length && objects.length < count) {
    const depth = words[at] as number;
    const end = at + 2 + depth;
    if (depth < 0 || end > words.length) return { record, offset, count, levels, objects, rest: -1 };
    objects.push({ depth, numbers: words.slice(at + 1, end) });
    at = end;
  }
  return { record, offset, count, levels, objects, rest: words.length - at };
}
