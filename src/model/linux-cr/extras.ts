import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { Schedule, TaskAttributes, Thread } from "../checkpoint.js";
import type { StreamReader } from "./reader.js";

/** TASK_EXTRA.flags: what is stored. */
const HAS_OOM_SCORE = 1;
const HAS_LOGIN_UID = 2;
const HAS_SCHEDULE = 4;
const HAS_CGROUP_SET = 8;

const SECCOMP_MODES: Readonly<Record<number, string>> = { 0: "disabled", 1: "strict", 2: "filter" };

const NOT_STORED: TaskAttributes = {
  oomScoreAdj: undefined,
  loginUid: undefined,
  childSubreaper: undefined,
  stopSignal: undefined,
  personality: undefined,
};

/** What our TASK_EXTRA record says of the process whose leader this is. */
export function taskAttributes(reader: StreamReader, part: Part): TaskAttributes {
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  if (extra === undefined) return NOT_STORED;
  return {
    oomScoreAdj: extra.flags & HAS_OOM_SCORE ? extra.oom_score_adj : undefined,
    loginUid: extra.flags & HAS_LOGIN_UID ? extra.loginuid : undefined,
    childSubreaper: extra.child_subreaper !== 0,
    stopSignal: extra.stop_signo || undefined,
    personality: extra.personality,
  };
}

/** What our records say of a thread. */
export function threadExtras(
  reader: StreamReader,
  part: Part,
): Pick<Thread, "seccomp" | "schedule" | "rseq"> & {
  readonly ambient: bigint;
  readonly noNewPrivs: boolean;
} {
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  const rseq = reader.find(part, RECORDS.RSEQ)?.value;
  return {
    seccomp: extra && (SECCOMP_MODES[extra.seccomp_mode] ?? String(extra.seccomp_mode)),
    schedule: extra && scheduleOf(extra),
    rseq:
      rseq === undefined || rseq.abi_pointer === 0n
        ? undefined
        : { address: rseq.abi_pointer, size: rseq.abi_size, signature: rseq.signature },
    ambient: extra?.cap_ambient ?? 0n,
    noNewPrivs: (extra?.no_new_privs ?? 0) !== 0,
  };
}

function scheduleOf(extra: {
  readonly flags: number;
  readonly sched_policy: number;
  readonly sched_nice: number;
  readonly sched_priority: number;
}): Schedule | undefined {
  if ((extra.flags & HAS_SCHEDULE) === 0) return undefined;
  return { policy: extra.sched_policy, nice: extra.sched_nice, priority: extra.sched_priority };
}

/** Number of the CGROUP_SET that a thread is in; undefined when the image does not say it. */
export function controlGroupSetOf(reader: StreamReader, part: Part): number | undefined {
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  return extra === undefined || (extra.flags & HAS_CGROUP_SET) === 0 ? undefined : extra.cgroup_set;
}

/** The groups of that set as lines `controllers:path`; undefined when the image does not say them. */
export function controlGroupsOf(reader: StreamReader, part: Part): readonly string[] | undefined {
  const id = controlGroupSetOf(reader, part);
  return id === undefined ? undefined : controlGroupSets(reader).get(id);
}

const setsByReader = new WeakMap<StreamReader, ReadonlyMap<number, readonly string[]>>();

/** The CGROUP_SETs of a stream by their numbers. */
export function controlGroupSets(reader: StreamReader): ReadonlyMap<number, readonly string[]> {
  let sets = setsByReader.get(reader);
  if (sets === undefined) {
    const { image } = reader;
    const records = (reader.tree.head?.records ?? []).filter(
      (record) => image.kind(record) === RECORDS.CGROUP_SET,
    );
    sets = new Map(
      records.map((record) => [
        image.value(record, RECORDS.CGROUP_SET).set_id,
        image
          .text(record)
          .split("\n")
          .filter((line) => line !== ""),
      ]),
    );
    setsByReader.set(reader, sets);
  }
  return sets;
}
