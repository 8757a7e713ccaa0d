import { enumTable } from "../../../io/enums.js";
import {
  NICE,
  OOM_SCORE_ADJ,
  RSEQ_BYTES,
  robustListBytes,
  SCHED_POLICIES,
  schedPriorities,
} from "../../../linux/sched.js";
import { SECCOMP_MODES } from "../../../linux/seccomp.js";
import { SIGNAL_OR_NONE, SIGNAL_STACK_BYTES, SS_DISABLE } from "../../../linux/signals.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { TASK_STATE } from "../names.js";
import { THREAD_INFO_AARCH64 } from "./core-aarch64.js";
import { THREAD_INFO_ARM } from "./core-arm.js";
import { THREAD_INFO_LOONGARCH64 } from "./core-loongarch64.js";
import { THREAD_INFO_MIPS } from "./core-mips.js";
import { THREAD_INFO_PPC64 } from "./core-ppc64.js";
import { THREAD_INFO_RISCV64 } from "./core-riscv64.js";
import { THREAD_INFO_S390 } from "./core-s390.js";
import { THREAD_INFO_X86, USER_X86_REGS_MODE } from "./core-x86.js";
import { CREDS_ENTRY } from "./creds.js";
import { RLIMIT_ENTRY } from "./rlimit.js";
import { SA_ENTRY } from "./sigaction.js";
import { SIGNAL_QUEUE_ENTRY } from "./siginfo.js";
import { TASK_TIMERS_ENTRY } from "./timer.js";

export const CORE_ENTRY_MARCH = enumTable("core_entry.march", {
  UNKNOWN: 0,
  X86_64: 1,
  ARM: 2,
  AARCH64: 3,
  PPC64: 4,
  S390: 5,
  MIPS: 6,
  LOONGARCH64: 7,
  RISCV64: 8,
});

export const TASK_RLIMITS_ENTRY = message(
  "task_rlimits_entry",
  "Resource limits of a task, in the order of the RLIMIT_* numbers.",
  {
    rlimits: repeated(1, RLIMIT_ENTRY),
  },
);
export type TaskRlimitsEntry = Value<typeof TASK_RLIMITS_ENTRY>;

export const TASK_CORE_ENTRY = message(
  "task_core_entry",
  "State of a process: state, name, timers, limits, signals.",
  {
    task_state: required(1, "uint32", { show: { as: "names", table: TASK_STATE }, domain: TASK_STATE }),
    exit_code: required(2, "uint32", { doc: "wait status of a zombie as wait(2) gives it, 0 otherwise" }),
    personality: required(3, "uint32", { doc: "execution domain, personality(2)" }),
    flags: required(4, "uint32", {
      doc: "PF_* flags of the kernel",
    }),
    blk_sigset: required(5, "uint64", {
      doc: "blocked signals of the leader, signal 1 is bit 0",
      show: { as: "hex" },
    }),
    comm: required(6, "string", { doc: "at most 15 bytes, not always UTF-8", holds: "task-name" }),
    timers: optional(7, TASK_TIMERS_ENTRY, { since: "1.3-rc1" }),
    rlimits: optional(8, TASK_RLIMITS_ENTRY, { since: "1.3-rc1" }),
    cg_set: optional(9, "uint32", {
      doc: "control groups, before criu 3.18 gave each thread its own",
      since: "1.3-rc2",
      deprecated: true,
    }),
    signals_s: optional(10, SIGNAL_QUEUE_ENTRY, {
      doc: "signals pending for the whole process",
      since: "1.3",
    }),
    old_seccomp_mode: optional(11, SECCOMP_MODES, { domain: SECCOMP_MODES, since: "1.7", deprecated: true }),
    old_seccomp_filter: optional(12, "uint32", {
      doc: "index of the last filter, before each thread had its own",
      since: "1.8",
      deprecated: true,
    }),
    loginuid: optional(13, "uint32", { doc: "audit user id; all ones when not set", since: "2.0" }),
    oom_score_adj: optional(14, "int32", { doc: "proc(5)", domain: OOM_SCORE_ADJ, since: "2.0" }),
    sigactions: repeated(15, SA_ENTRY, {
      doc: "62 actions in the order of the signals without SIGKILL and SIGSTOP",
      since: "3.1",
    }),
    child_subreaper: optional(18, "bool", { doc: "orphaned descendants become its children", since: "3.13" }),
    blk_sigset_extended: optional(20, "uint64", {
      doc: "blocked signals 65 to 128, where an architecture has them",
      show: { as: "hex" },
      since: "3.15",
    }),
    stop_signo: optional(21, "uint32", {
      doc: "signal that stopped the task",
      domain: SIGNAL_OR_NONE,
      since: "3.18",
    }),
    membarrier_registration_mask: optional(22, "uint32", {
      doc: "MEMBARRIER_CMD_* registrations, membarrier(2)",
      show: { as: "hex" },
      since: "3.19",
    }),
  },
);
export type TaskCoreEntry = Value<typeof TASK_CORE_ENTRY>;

export const TASK_KOBJ_IDS_ENTRY = message(
  "task_kobj_ids_entry",
  "Ids of the kernel objects of a task; two tasks with the same id share the object.",
  {
    vm_id: required(1, "uint32", { doc: "address space; never shared between tasks of a set" }),
    files_id: required(2, "uint32", {
      doc: "descriptor table, and the number in the name of its fdinfo image",
    }),
    fs_id: required(3, "uint32", { doc: "directory, root and umask; never shared between tasks of a set" }),
    sighand_id: required(4, "uint32", { doc: "signal actions; never shared between tasks of a set" }),
    pid_ns_id: optional(5, "uint32", {
      doc: "pid namespace; one equal to the inventory's root_ids is shared with criu and has no image, as for all namespaces here",
      since: "0.4",
    }),
    net_ns_id: optional(6, "uint32", { doc: "network namespace", since: "0.4" }),
    ipc_ns_id: optional(7, "uint32", { doc: "IPC namespace", since: "0.4" }),
    uts_ns_id: optional(8, "uint32", { doc: "UTS namespace", since: "0.4" }),
    mnt_ns_id: optional(9, "uint32", { doc: "mount namespace", since: "0.4" }),
    user_ns_id: optional(10, "uint32", { doc: "user namespace", since: "1.4" }),
    cgroup_ns_id: optional(11, "uint32", { doc: "cgroup namespace", since: "2.0" }),
    time_ns_id: optional(12, "uint32", { doc: "time namespace", since: "3.14" }),
  },
);
export type TaskKobjIdsEntry = Value<typeof TASK_KOBJ_IDS_ENTRY>;

export const THREAD_SAS_ENTRY = message(
  "thread_sas_entry",
  "The alternate signal stack of a thread, sigaltstack(2).",
  {
    ss_sp: required(1, "uint64", { doc: "lowest address" }),
    ss_size: required(2, "uint64", {
      doc: "bytes",
      // 0 means none too: sigreturn(2) ignores it.
      domain: ({ ss_size, ss_flags }) =>
        ss_size === 0n || ((ss_flags as number) & SS_DISABLE) !== 0 ? undefined : SIGNAL_STACK_BYTES,
    }),
    ss_flags: required(3, "uint32"),
  },
);
export type ThreadSasEntry = Value<typeof THREAD_SAS_ENTRY>;

export const RSEQ_ENTRY = message("rseq_entry", "The restartable sequence area of a thread, rseq(2).", {
  rseq_abi_pointer: required(1, "uint64", { doc: "address of the area" }),
  rseq_abi_size: required(2, "uint32", {
    doc: "bytes",
    domain: ({ rseq_abi_pointer }) => (rseq_abi_pointer === 0n ? undefined : RSEQ_BYTES),
  }),
  signature: required(3, "uint32", { doc: "word before each abort handler" }),
  rseq_cs_pointer: optional(4, "uint64", { doc: "critical section that the thread was in, 0 for none" }),
});
export type RseqEntry = Value<typeof RSEQ_ENTRY>;

/** Whether a core_entry is of a 32-bit task on x86-64, whose robust list has another size. */
function isCompat({ thread_info }: Readonly<Record<string, unknown>>): boolean {
  const info = thread_info as Value<typeof THREAD_INFO_X86> | undefined;
  return info?.gpregs.mode === USER_X86_REGS_MODE.values.get("COMPAT");
}

export const THREAD_CORE_ENTRY = message("thread_core_entry", "State of a thread besides registers.", {
  futex_rla: required(1, "uint64", { doc: "address of the robust futex list" }),
  futex_rla_len: required(2, "uint32", {
    doc: "bytes of the list's head",
    domain: (_, { wordBytes }, core) => robustListBytes(isCompat(core) ? 4 : wordBytes),
  }),
  sched_nice: optional(3, "sint32", { doc: "nice(2)", domain: NICE }),
  sched_policy: optional(4, "uint32", { doc: "SCHED_* number, sched(7)", domain: SCHED_POLICIES }),
  sched_prio: optional(5, "uint32", {
    doc: "real-time priority, 0 for other policies",
    absent: 0,
    domain: ({ sched_policy }) => schedPriorities((sched_policy as number | undefined) ?? 0),
  }),
  blk_sigset: optional(6, "uint64", { doc: "blocked signals, signal 1 is bit 0" }),
  sas: optional(7, THREAD_SAS_ENTRY, { since: "0.7" }),
  pdeath_sig: optional(8, "uint32", {
    doc: "signal sent when the parent ends, prctl(2)",
    domain: SIGNAL_OR_NONE,
    since: "1.3",
  }),
  signals_p: optional(9, SIGNAL_QUEUE_ENTRY, {
    doc: "signals pending for this thread",
    since: "1.3",
  }),
  creds: optional(10, CREDS_ENTRY, { since: "2.0" }),
  seccomp_mode: optional(11, SECCOMP_MODES, { domain: SECCOMP_MODES, since: "3.10" }),
  seccomp_filter: optional(12, "uint32", {
    doc: "index of the thread's last filter in seccomp.img",
    since: "3.10",
  }),
  comm: optional(13, "string", {
    doc: "at most 15 bytes, not always UTF-8",
    holds: "task-name",
    since: "3.11",
  }),
  blk_sigset_extended: optional(14, "uint64", {
    doc: "blocked signals 65 to 128, where an architecture has them",
    since: "3.15",
  }),
  rseq_entry: optional(15, RSEQ_ENTRY, { since: "3.17" }),
  cg_set: optional(16, "uint32", {
    doc: "id of a cg_set_entry, or the inventory's root_cg_set for the groups of criu itself",
    since: "3.18",
  }),
});
export type ThreadCoreEntry = Value<typeof THREAD_CORE_ENTRY>;

export const CORE_ENTRY = message("core_entry", "A task or thread: its registers and own state.", {
  mtype: required(1, CORE_ENTRY_MARCH, {
    doc: "architecture; the same in every task of a set",
    domain: CORE_ENTRY_MARCH,
  }),
  thread_info: optional(2, THREAD_INFO_X86, {
    doc: "registers of an x86 thread; each architecture has its own field",
  }),
  tc: optional(3, TASK_CORE_ENTRY, { doc: "only in the leader of a process" }),
  ids: optional(4, TASK_KOBJ_IDS_ENTRY, { doc: "in old sets instead of ids-PID.img" }),
  thread_core: optional(5, THREAD_CORE_ENTRY, { doc: "absent for a zombie" }),
  ti_arm: optional(6, THREAD_INFO_ARM, { since: "0.4" }),
  ti_aarch64: optional(8, THREAD_INFO_AARCH64, { since: "1.3-rc1" }),
  ti_ppc64: optional(9, THREAD_INFO_PPC64, { since: "1.6" }),
  ti_s390: optional(10, THREAD_INFO_S390, { since: "3.4" }),
  ti_mips: optional(11, THREAD_INFO_MIPS, { since: "3.15" }),
  ti_loongarch64: optional(12, THREAD_INFO_LOONGARCH64, { since: "3.19" }),
  ti_riscv64: optional(13, THREAD_INFO_RISCV64, { since: "4.1" }),
});
export type CoreEntry = Value<typeof CORE_ENTRY>;
