import { BOOLEAN, type Domain, range } from "../../../io/domains.js";
import { flagTable } from "../../../io/enums.js";
import { NEXT_ID } from "../../../linux/ipc.js";
import {
  NICE,
  OOM_SCORE_ADJ,
  RSEQ_BYTES,
  SCHED_POLICIES,
  schedPriorities,
  THREAD_ID,
} from "../../../linux/sched.js";
import { SECCOMP_MODES } from "../../../linux/seccomp.js";
import { SIGNAL, SIGNAL_OR_NONE } from "../../../linux/signals.js";
import { NANOSECONDS, SIGEV_NONE, SIGEV_NOTIFY, SIGEV_THREAD_ID, timerClocks } from "../../../linux/time.js";
import { struct, word } from "../../../schema/struct.js";

/** Bits of TASK_EXTRA.flags: which fields are stored. */
const HAS_OOM_SCORE_ADJ = 1;
const HAS_SCHEDULING = 4;

/** CLOCKS.flags */
const OWN_TIME_NAMESPACE = 1;
const CLOCK_FLAGS = flagTable("clock_flags", { OWN_NAMESPACE: OWN_TIME_NAMESPACE, KNOWN: 2 });

/** In a time namespace of its own a clock may be anything. */
function sinceBoot({ flags }: Readonly<Record<string, unknown>>): Domain | undefined {
  return ((flags as number) & OWN_TIME_NAMESPACE) === 0 ? range(0, (1n << 63n) - 1n) : undefined;
}

/** The domain of a field that is valid only if its bit is set. */
function stored(bit: number, domain: Domain | undefined) {
  return ({ flags }: Readonly<Record<string, unknown>>): Domain | undefined =>
    ((flags as number) & bit) === 0 ? undefined : domain;
}

export const EXTENSIONS = struct("EXTENSIONS", 24, "Version of the crimg extension records in this image", {
  version: word("u32", 8, { doc: "version of the extension records, 1" }),
  oldest_reader: word("u32", 12, { doc: "oldest version of a reader that can read the image" }),
  writer: word("u32", 16, { doc: "1 crimg convert, 2 crimg checkpoint, 3 crimg edit" }),
});

export const CLOCKS = struct("CLOCKS", 40, "The clocks at the start of the checkpoint", {
  realtime_ns: word("u64", 8, { doc: "wall clock in ns since 1970" }),
  monotonic_ns: word("s64", 16, {
    doc: "CLOCK_MONOTONIC in ns, as the tasks saw it",
    domain: sinceBoot,
    kept: false,
  }),
  boottime_ns: word("s64", 24, {
    doc: "CLOCK_BOOTTIME in ns, as the tasks saw it",
    domain: sinceBoot,
    kept: false,
  }),
  flags: word("u32", 32, {
    doc: "1 the tasks had their own time namespace, 2 monotonic and boottime are known",
    show: { as: "hex" },
    domain: CLOCK_FLAGS,
    kept: false,
  }),
});

export const CGROUP_SET = struct("CGROUP_SET", 16, "Control groups of tasks, cgroups(7)", {
  set_id: word("u32", 8, { doc: "id for TASK_EXTRA.cgroup_set, above 0" }),
});

export const SECCOMP_FILTER = struct("SECCOMP_FILTER", 24, "A program of seccomp(2)", {
  filter_ref: word("s32", 8, { doc: "id of the filter, from 1 on" }),
  prev_ref: word("s32", 12, { doc: "the previously installed filter, 0 for none" }),
  flags: word("u32", 16, { doc: "seccomp(2) SECCOMP_FILTER_FLAG bits", show: { as: "hex" } }),
});

export const TASK_EXTRA = struct("TASK_EXTRA", 88, "Additional state of a task", {
  oom_score_adj: word("s32", 8, {
    doc: "proc(5)",
    domain: stored(HAS_OOM_SCORE_ADJ, OOM_SCORE_ADJ),
  }),
  loginuid: word("u32", 12, { doc: "0xffffffff is unset" }),
  sched_policy: word("u32", 16, { doc: "sched(7)", domain: stored(HAS_SCHEDULING, SCHED_POLICIES) }),
  sched_nice: word("s32", 20, { doc: "nice(2)", domain: stored(HAS_SCHEDULING, NICE) }),
  sched_priority: word("u32", 24, {
    doc: "real-time priority, 0 for other policies",
    domain: (extra) => stored(HAS_SCHEDULING, schedPriorities(extra.sched_policy as number))(extra),
  }),
  no_new_privs: word("u32", 28, { domain: BOOLEAN }),
  cap_ambient: word("u64", 32, { doc: "ambient capabilities", show: { as: "hex" } }),
  child_subreaper: word("u32", 40, { domain: BOOLEAN, kept: false }),
  stop_signo: word("u32", 44, {
    doc: "signal that stopped a task of state 4, 0 for none",
    domain: SIGNAL_OR_NONE,
  }),
  seccomp_mode: word("u32", 48, { doc: "seccomp(2)", domain: SECCOMP_MODES }),
  seccomp_filter: word("s32", 52, { doc: "the last SECCOMP_FILTER, 0 for none" }),
  personality: word("u64", 56, { doc: "personality(2)", show: { as: "hex" } }),
  cgroup_set: word("u32", 64, { doc: "set_id of a CGROUP_SET" }),
  thp_disabled: word("u32", 68, { domain: BOOLEAN, kept: false }),
  membarrier_mask: word("u32", 72, { doc: "commands registered with membarrier(2)", show: { as: "hex" } }),
  flags: word("u32", 76, {
    doc: "which are stored: 1 oom_score_adj, 2 loginuid, 4 scheduling, 8 cgroup_set",
    show: { as: "hex" },
  }),
});

export const RSEQ = struct("RSEQ", 32, "Restartable sequences of a thread, rseq(2)", {
  abi_pointer: word("u64", 8, { doc: "address of struct rseq, 0 for none", show: { as: "hex" } }),
  abi_size: word("u32", 16, {
    doc: "bytes",
    domain: ({ abi_pointer }) => (abi_pointer === 0n ? undefined : RSEQ_BYTES),
  }),
  signature: word("u32", 20, { show: { as: "hex" } }),
  cs_pointer: word("u64", 24, {
    doc: "address of the critical section it was in, 0 for none",
    show: { as: "hex" },
  }),
});

export const XSTATE = struct(
  "XSTATE",
  32,
  "Processor state beyond FXSAVE; the first 512 bytes are in CPU_FPU",
  {
    xstate_bv: word("u64", 8, { doc: "components in use", show: { as: "hex" } }),
    xcomp_bv: word("u64", 16, {
      doc: "format of the compacted area, 0 for the standard one",
      show: { as: "hex" },
    }),
    nr_components: word("u32", 24, { doc: "components after the fields" }),
  },
);

export const XSTATE_COMPONENT = struct(
  "xstate_component",
  8,
  "Header of one component in the bytes of XSTATE; `size` bytes follow",
  {
    component: word("u32", 0, { doc: "number of the XSAVE component, 2 is the upper half of YMM" }),
    size: word("u32", 4, { doc: "bytes" }),
  },
);

export const POSIX_TIMER = struct(
  "POSIX_TIMER",
  72,
  "A timer of timer_create(2); times are relative to the start of the checkpoint",
  {
    timer_id: word("u32", 8),
    clock_id: word("s32", 12, {
      doc: "clock_gettime(2)",
      domain: ({ clock_id }) => timerClocks(clock_id as number),
    }),
    sigev_notify: word("u32", 16, { doc: "sigevent(3type)", domain: SIGEV_NOTIFY }),
    signo: word("u32", 20, {
      doc: "signal on expiration",
      domain: ({ sigev_notify }) => (sigev_notify === SIGEV_NONE ? undefined : SIGNAL),
    }),
    overrun: word("u32", 24),
    notify_tid: word("s32", 28, {
      doc: "thread that receives the signal, for sigev_notify 4",
      domain: ({ sigev_notify }) => (sigev_notify === SIGEV_THREAD_ID ? THREAD_ID : undefined),
    }),
    sigval: word("u64", 32, { show: { as: "hex" } }),
    value_ns: word("u64", 40, {
      doc: "ns until it expires, 0 when disarmed",
      domain: NANOSECONDS,
      kept: false,
    }),
    interval_ns: word("u64", 48, {
      doc: "ns between expirations, 0 for one-shot",
      domain: NANOSECONDS,
      kept: false,
    }),
    flags: word("u32", 56, { doc: "none defined" }),
  },
);

export const IPC_NS_EXTRA = struct("IPC_NS_EXTRA", 56, "Additional state of an IPC namespace", {
  auto_msgmni: word("u32", 8),
  shm_rmid_forced: word("u32", 12, { doc: "1 if unused segments are removed", domain: BOOLEAN }),
  mq_queues_max: word("u32", 16, { doc: "limits of POSIX message queues, mq_overview(7)" }),
  mq_msg_max: word("u32", 20),
  mq_msgsize_max: word("u32", 24),
  mq_msg_default: word("u32", 28),
  mq_msgsize_default: word("u32", 32),
  msg_next_id: word("s32", 36, { doc: "wanted id of the next object, -1 for any", domain: NEXT_ID }),
  sem_next_id: word("s32", 40, { domain: NEXT_ID }),
  shm_next_id: word("s32", 44, { domain: NEXT_ID }),
});
