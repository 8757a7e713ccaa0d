import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type {
  CoreEntry,
  TaskCoreEntry,
  TaskRlimitsEntry,
  ThreadCoreEntry,
} from "../../formats/criu/tables/core.js";
import { enumName } from "../../io/enums.js";
import { SECCOMP_MODES } from "../../linux/seccomp.js";
import { SS_DISABLE } from "../../linux/signals.js";
import type { ResourceLimit, TaskAttributes, ThreadAttributes } from "../attributes.js";
import { taskEntries } from "./task-entries.js";

/** Resource limits; sets before criu 1.3 keep them in rlimit-PID.img. */
export function decodeLimits(
  set: CriuImageSet,
  pid: number,
  core: TaskCoreEntry | undefined,
): ResourceLimit[] {
  const stored = core?.rlimits?.rlimits;
  if (stored === undefined)
    return taskEntries(set, pid, "limits", set.records(IMAGES.RLIMIT, pid)).map(({ value, index }) => ({
      ...{ soft: value.cur, hard: value.max },
      origin: { image: fileNameOf(IMAGES.RLIMIT, pid), record: index, field: "cur" },
    }));
  return taskEntries(set, pid, "limits", stored).map(({ cur, max }, i) => ({
    ...{ soft: cur, hard: max },
    origin: { image: fileNameOf(IMAGES.CORE, pid), record: 0, field: `tc.rlimits.rlimits[${i}].cur` },
  }));
}

export function encodeLimits(limits: readonly ResourceLimit[]): TaskRlimitsEntry {
  return { rlimits: limits.map(({ soft, hard }) => ({ cur: soft, max: hard })) };
}

export function decodeTaskAttributes(core: TaskCoreEntry | undefined): TaskAttributes {
  return {
    oomScoreAdj: core?.oom_score_adj,
    loginUid: core?.loginuid,
    childSubreaper: core?.child_subreaper,
    stopSignal: core?.stop_signo || undefined,
    personality: core === undefined ? undefined : BigInt(core.personality),
    membarrier: core?.membarrier_registration_mask,
  };
}

export function encodeTaskAttributes(attributes: TaskAttributes) {
  const { oomScoreAdj, loginUid, childSubreaper, stopSignal, personality = 0n, membarrier } = attributes;
  return {
    personality: Number(BigInt.asUintN(32, personality)),
    ...(loginUid === undefined ? {} : { loginuid: loginUid }),
    ...(oomScoreAdj === undefined ? {} : { oom_score_adj: oomScoreAdj }),
    ...(childSubreaper === undefined ? {} : { child_subreaper: childSubreaper }),
    ...(stopSignal === undefined ? {} : { stop_signo: stopSignal }),
    ...(membarrier === undefined ? {} : { membarrier_registration_mask: membarrier }),
  };
}

/** Sets before criu 3.10 keep the mode of seccomp with the task. */
export function decodeThreadAttributes(core: CoreEntry | undefined, image: string): ThreadAttributes {
  const thread = core?.thread_core;
  const mode = thread?.seccomp_mode ?? core?.tc?.old_seccomp_mode;
  const { sas, sched_policy: policy, rseq_entry: rseq } = thread ?? {};
  const info = core?.thread_info as { readonly clear_tid_addr?: bigint } | undefined;
  const hasStack = sas !== undefined && (sas.ss_flags & SS_DISABLE) === 0 && sas.ss_size !== 0n;
  return {
    seccomp: mode === undefined ? undefined : enumName(SECCOMP_MODES, mode),
    seccompFilter: thread?.seccomp_filter ?? core?.tc?.old_seccomp_filter,
    schedule:
      policy === undefined
        ? undefined
        : { policy, nice: thread?.sched_nice ?? 0, priority: thread?.sched_prio ?? 0 },
    addresses: {
      clearTid: info?.clear_tid_addr ?? 0n,
      robustList: thread?.futex_rla ?? 0n,
      robustListBytes: thread?.futex_rla_len ?? 0,
      signalStack: hasStack
        ? { start: sas.ss_sp, end: sas.ss_sp + sas.ss_size, flags: sas.ss_flags }
        : undefined,
    },
    deathSignal: thread?.pdeath_sig ?? 0,
    rseq:
      rseq === undefined
        ? undefined
        : {
            address: rseq.rseq_abi_pointer,
            size: rseq.rseq_abi_size,
            signature: rseq.signature,
            section: rseq.rseq_cs_pointer ?? 0n,
            origin: { image, record: 0, field: "thread_core.rseq_entry.rseq_abi_pointer" },
          },
  };
}

/** All but the mode of seccomp, which goes with the number of a filter, and the address in the registers. */
export function encodeThreadAttributes(
  attributes: ThreadAttributes,
): Partial<ThreadCoreEntry> & Pick<ThreadCoreEntry, "futex_rla" | "futex_rla_len"> {
  const { schedule, addresses, deathSignal, rseq } = attributes;
  const { signalStack: stack, robustList, robustListBytes } = addresses;
  return {
    futex_rla: robustList,
    futex_rla_len: robustListBytes,
    ...(schedule === undefined
      ? {}
      : {
          sched_nice: schedule.nice,
          sched_policy: schedule.policy,
          ...(schedule.priority === 0 ? {} : { sched_prio: schedule.priority }),
        }),
    sas:
      stack === undefined
        ? { ss_sp: 0n, ss_size: 0n, ss_flags: SS_DISABLE }
        : { ss_sp: stack.start, ss_size: stack.end - stack.start, ss_flags: stack.flags },
    ...(deathSignal === 0 ? {} : { pdeath_sig: deathSignal }),
    ...(rseq === undefined
      ? {}
      : {
          rseq_entry: {
            rseq_abi_pointer: rseq.address,
            rseq_abi_size: rseq.size,
            signature: rseq.signature,
            ...(rseq.section === 0n ? {} : { rseq_cs_pointer: rseq.section }),
          },
        }),
  };
}
