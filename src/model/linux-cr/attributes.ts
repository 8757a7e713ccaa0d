import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { enumName } from "../../io/enums.js";
import { RLIM_INFINITY, RLIM_NLIMITS } from "../../linux/rlimits.js";
import { SECCOMP_MODES } from "../../linux/seccomp.js";
import type {
  ResourceLimit,
  RestartableSequences,
  Schedule,
  TaskAttributes,
  ThreadAttributes,
} from "../attributes.js";
import type { Credentials } from "../credentials.js";
import { HAS_CGROUP_SET } from "./control-groups.js";
import type { StreamReader } from "./reader.js";

type TaskExtra = RecordValue<typeof RECORDS.TASK_EXTRA>;

/** TASK_EXTRA.flags: what is stored. */
const HAS_OOM_SCORE = 1;
const HAS_LOGIN_UID = 2;
const HAS_SCHEDULE = 4;
/** TASK has 32 bits for the size of a signal stack. */
export const MAX_STACK_BYTES = 0xffff_ffffn;
/** TASK has so many bits for the robust list of 32-bit code. */
export const MAX_COMPAT_ADDRESS = 0xffff_ffffn;

const NOT_STORED: TaskAttributes = {
  ...{ oomScoreAdj: undefined, loginUid: undefined, childSubreaper: undefined },
  ...{ stopSignal: undefined, personality: undefined, membarrier: undefined },
};

/** The limits in the SIGNAL record of a process. */
export function decodeLimits(reader: StreamReader, owner: Part): ResourceLimit[] {
  const found = reader.find(owner, RECORDS.SIGNAL);
  if (found === undefined) return [];
  return found.value.rlim.map(({ rlim_cur, rlim_max }, i) => ({
    ...{ soft: rlim_cur, hard: rlim_max },
    origin: { ...reader.origin(found.index), field: `rlim[${i}].rlim_cur` },
  }));
}

/** SIGNAL.rlim; those that are not known are without limit. */
export function encodeLimits(limits: readonly Omit<ResourceLimit, "origin">[]) {
  return Array.from({ length: RLIM_NLIMITS }, (_, i) => ({
    rlim_cur: limits[i]?.soft ?? RLIM_INFINITY,
    rlim_max: limits[i]?.hard ?? RLIM_INFINITY,
  }));
}

/** What our TASK_EXTRA record says of the process whose leader this is. */
export function decodeTaskAttributes(reader: StreamReader, part: Part): TaskAttributes {
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  if (extra === undefined) return NOT_STORED;
  return {
    oomScoreAdj: extra.flags & HAS_OOM_SCORE ? extra.oom_score_adj : undefined,
    loginUid: extra.flags & HAS_LOGIN_UID ? extra.loginuid : undefined,
    childSubreaper: extra.child_subreaper !== 0,
    stopSignal: extra.stop_signo || undefined,
    personality: extra.personality,
    membarrier: extra.membarrier_mask || undefined,
  };
}

/** What the records of a thread say of it. */
export function decodeThreadAttributes(reader: StreamReader, part: Part): ThreadAttributes {
  const { value: task } = reader.get(part, RECORDS.TASK);
  const { sas_ss_sp: stack = 0n, sas_ss_size: size = 0 } = task;
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  const rseq = reader.find(part, RECORDS.RSEQ);
  return {
    seccomp: extra && enumName(SECCOMP_MODES, extra.seccomp_mode),
    seccompFilter: extra?.seccomp_filter || undefined,
    schedule: extra && scheduleOf(extra),
    addresses: {
      clearTid: task.clear_child_tid,
      ...robustListOf(task),
      signalStack: size === 0 ? undefined : { start: stack, end: stack + BigInt(size), flags: 0 },
    },
    deathSignal: task.pdeath_signal,
    rseq:
      rseq === undefined
        ? undefined
        : {
            address: rseq.value.abi_pointer,
            size: rseq.value.abi_size,
            signature: rseq.value.signature,
            section: rseq.value.cs_pointer,
            origin: { ...reader.origin(rseq.index), field: "abi_pointer" },
          },
  };
}

/** 32-bit code on a 64-bit kernel has a list of its own; criu stores one of the two. */
function robustListOf(task: RecordValue<typeof RECORDS.TASK>) {
  return task.robust_futex_head_len === 0 && task.compat_robust_futex_head_len !== 0
    ? {
        robustList: BigInt(task.compat_robust_futex_list),
        robustListBytes: task.compat_robust_futex_head_len,
      }
    : { robustList: task.robust_futex_list, robustListBytes: task.robust_futex_head_len };
}

function scheduleOf(extra: TaskExtra): Schedule | undefined {
  if ((extra.flags & HAS_SCHEDULE) === 0) return undefined;
  return { policy: extra.sched_policy, nice: extra.sched_nice, priority: extra.sched_priority };
}

/** The fields of TASK for what a thread, perhaps of 32-bit code, has; of its signal stack the place alone. */
export function encodeThreadAttributes(
  { addresses, deathSignal }: Pick<ThreadAttributes, "addresses" | "deathSignal">,
  isCompat: boolean,
) {
  const { clearTid, robustList, robustListBytes, signalStack: stack } = addresses;
  return {
    pdeath_signal: deathSignal,
    clear_child_tid: clearTid,
    sas_ss_sp: stack?.start ?? 0n,
    sas_ss_size: stack === undefined ? 0 : Number(stack.end - stack.start),
    ...(isCompat && robustListBytes !== 0 && robustList <= MAX_COMPAT_ADDRESS
      ? {
          compat_robust_futex_head_len: robustListBytes,
          compat_robust_futex_list: Number(robustList),
        }
      : { robust_futex_head_len: robustListBytes, robust_futex_list: robustList }),
  };
}

/** The fields of RSEQ. */
export function encodeRseq({ address, size, signature, section }: Omit<RestartableSequences, "origin">) {
  return { abi_pointer: address, abi_size: size, signature, cs_pointer: section };
}

/** The fields of TASK_EXTRA, but seccomp and memory. `cgroupSet` is undefined for the groups of whoever restores. */
export function encodeTaskExtra(
  attributes: TaskAttributes,
  schedule: Schedule | undefined,
  { noNewPrivs, ambient }: Pick<Credentials, "noNewPrivs" | "ambient">,
  cgroupSet: number | undefined,
) {
  const { oomScoreAdj, loginUid, childSubreaper, stopSignal, personality, membarrier } = attributes;
  return {
    oom_score_adj: oomScoreAdj ?? 0,
    loginuid: loginUid ?? 0,
    sched_policy: schedule?.policy ?? 0,
    sched_nice: schedule?.nice ?? 0,
    sched_priority: schedule?.priority ?? 0,
    no_new_privs: Number(noNewPrivs),
    cap_ambient: ambient,
    child_subreaper: childSubreaper === true ? 1 : 0,
    stop_signo: stopSignal ?? 0,
    personality: personality ?? 0n,
    cgroup_set: cgroupSet ?? 0,
    membarrier_mask: membarrier ?? 0,
    flags:
      (oomScoreAdj === undefined ? 0 : HAS_OOM_SCORE) |
      (loginUid === undefined ? 0 : HAS_LOGIN_UID) |
      (schedule === undefined ? 0 : HAS_SCHEDULE) |
      (cgroupSet === undefined ? 0 : HAS_CGROUP_SET),
  };
}
