import { BOOLEAN, range } from "../../../io/domains.js";
import { flagTable } from "../../../io/enums.js";
import { robustListBytes } from "../../../linux/sched.js";
import { SIGNAL_OR_NONE, SIGNAL_STACK_BYTES } from "../../../linux/signals.js";
import { NANOSECONDS } from "../../../linux/time.js";
import { type StructFieldOptions, struct, word } from "../../../schema/struct.js";

const TASK_FLAGS = flagTable("task_flags", { FORKNOEXEC: 1, SUPERPRIV: 2 });
/** RESTART_BLOCK.function_type */
const POLL = 6n;

const ROBUST_LIST: StructFieldOptions = {
  doc: "bytes of the head of the robust futex list",
  domain: (_, { wordBytes }) => robustListBytes(wordBytes),
};
const COMPAT_ROBUST_LIST: StructFieldOptions = {
  doc: "the same of a 32-bit task on a 64-bit kernel",
  domain: ({ robust_futex_head_len: own }) => (own === 0 ? robustListBytes(4) : undefined),
};
/** Size 0 for none. */
const SIGNAL_STACK: StructFieldOptions = {
  doc: "bytes of the alternate signal stack",
  domain: ({ sas_ss_size }) => (sas_ss_size === 0 ? undefined : SIGNAL_STACK_BYTES),
};

export const TASK_0ABE2FE = struct("TASK", 72, "TASK as header sets 0abe2fe to c97c03d wrote it", {
  state: word("u32", 8),
  exit_state: word("u32", 12),
  exit_code: word("u32", 16),
  exit_signal: word("u32", 20),
  pdeath_signal: word("u32", 24, { domain: SIGNAL_OR_NONE }),
  set_child_tid: word("u64", 32, { show: { as: "hex" } }),
  clear_child_tid: word("u64", 40, { show: { as: "hex" } }),
  compat_robust_futex_head_len: word("u32", 48, COMPAT_ROBUST_LIST),
  compat_robust_futex_list: word("u32", 52, { show: { as: "hex" } }),
  robust_futex_head_len: word("u32", 56, ROBUST_LIST),
  robust_futex_list: word("u64", 64, { show: { as: "hex" } }),
});

export const TASK_67CFEE9 = struct("TASK", 64, "TASK as header sets 67cfee9 to f678773 wrote it", {
  state: word("u32", 8),
  exit_state: word("u32", 12),
  exit_code: word("u32", 16),
  exit_signal: word("u32", 20),
  pdeath_signal: word("u32", 24, { domain: SIGNAL_OR_NONE }),
  compat_robust_futex_head_len: word("u32", 28, COMPAT_ROBUST_LIST),
  compat_robust_futex_list: word("u32", 32, { show: { as: "hex" } }),
  robust_futex_head_len: word("u32", 36, ROBUST_LIST),
  robust_futex_list: word("u64", 40, { show: { as: "hex" } }),
  set_child_tid: word("u64", 48, { show: { as: "hex" } }),
  clear_child_tid: word("u64", 56, { show: { as: "hex" } }),
});

export const TASK_F0FDD38 = struct("TASK", 80, "TASK as header sets f0fdd38 to b6cdf01 wrote it", {
  state: word("u32", 8),
  exit_state: word("u32", 12),
  exit_code: word("u32", 16),
  exit_signal: word("u32", 20),
  pdeath_signal: word("u32", 24, { domain: SIGNAL_OR_NONE }),
  compat_robust_futex_head_len: word("u32", 28, COMPAT_ROBUST_LIST),
  compat_robust_futex_list: word("u32", 32, { show: { as: "hex" } }),
  robust_futex_head_len: word("u32", 36, ROBUST_LIST),
  robust_futex_list: word("u64", 40, { show: { as: "hex" } }),
  set_child_tid: word("u64", 48, { show: { as: "hex" } }),
  clear_child_tid: word("u64", 56, { show: { as: "hex" } }),
  sas_ss_sp: word("u64", 64, { show: { as: "hex" } }),
  sas_ss_size: word("u32", 72, SIGNAL_STACK),
});

/** TASK.exit_signal of a thread that is not the leader. */
export const NO_EXIT_SIGNAL = 0xffff_ffff;

export const TASK = struct(
  "TASK",
  80,
  "A task (thread or process): state, exit status, addresses; its name follows as a STRING",
  {
    flags: word("u32", 8, {
      doc: "1 forked and not executed, 2 used privileges",
      domain: TASK_FLAGS,
      kept: false,
    }),
    state: word("u32", 12, { doc: "64 for a zombie" }),
    exit_state: word("u32", 16, { doc: "16 for a zombie, else 0" }),
    exit_code: word("u32", 20, { doc: "wait status of a zombie" }),
    exit_signal: word("u32", 24, {
      doc: "signal for the parent; all ones for a thread that is not the leader",
    }),
    pdeath_signal: word("u32", 28, { doc: "prctl(2) PR_SET_PDEATHSIG", domain: SIGNAL_OR_NONE }),
    set_child_tid: word("u64", 32, { doc: "user address, like the other u64", show: { as: "hex" } }),
    clear_child_tid: word("u64", 40, { show: { as: "hex" } }),
    sas_ss_sp: word("u64", 48, { doc: "alternate signal stack, sigaltstack(2)", show: { as: "hex" } }),
    sas_ss_size: word("u32", 56, SIGNAL_STACK),
    compat_robust_futex_head_len: word("u32", 60, COMPAT_ROBUST_LIST),
    compat_robust_futex_list: word("u32", 64, {
      doc: "of a 32-bit task on a 64-bit kernel",
      show: { as: "hex" },
    }),
    robust_futex_head_len: word("u32", 68, ROBUST_LIST),
    robust_futex_list: word("u64", 72, { show: { as: "hex" } }),
  },
);

export const TASK_NS = struct("TASK_NS", 16, "The namespaces of the task", {
  ns_objref: word("s32", 8),
});

export const TASK_OBJS_0ABE2FE = struct(
  "TASK_OBJS",
  24,
  "TASK_OBJS as header sets 0abe2fe to 76fcfe5 wrote it",
  {
    files_objref: word("s32", 8),
    mm_objref: word("s32", 12),
    sighand_objref: word("s32", 16),
    signal_objref: word("s32", 20),
  },
);

export const TASK_OBJS_C97C03D = struct(
  "TASK_OBJS",
  32,
  "TASK_OBJS as header sets c97c03d to f678773 wrote it",
  {
    files_objref: word("s32", 8),
    mm_objref: word("s32", 12),
    fs_objref: word("s32", 16),
    sighand_objref: word("s32", 20),
    signal_objref: word("s32", 24),
  },
);

export const TASK_OBJS = struct("TASK_OBJS", 32, "Objects of the task, possibly shared", {
  files_objref: word("s32", 8),
  mm_objref: word("s32", 12),
  fs_objref: word("s32", 16),
  sem_undo_objref: word("s32", 20, { doc: "0 for none" }),
  sighand_objref: word("s32", 24),
  signal_objref: word("s32", 28, { doc: "if new, SIGNAL follows" }),
});

export const TASK_CREDS = struct("TASK_CREDS", 16, "The credentials of the task", {
  cred_ref: word("s32", 8, { doc: "real credentials" }),
  ecred_ref: word("s32", 12, { doc: "effective credentials" }),
});

/** RESTART_BLOCK.function_type: no call was interrupted. */
export const NO_CALL = 1n;

export const RESTART_BLOCK = struct(
  "RESTART_BLOCK",
  56,
  "The interrupted system call of the task, resumed at a restart",
  {
    function_type: word("u64", 8, {
      doc: "1 none, 2 sleep, 3 sleep on a processor clock, 4 and 5 the same of a 32-bit task, 6 poll, 7 futex",
      domain: range(1, 7),
      kept: false,
    }),
    arg_0: word("u64", 16),
    arg_1: word("u64", 24),
    arg_2: word("u64", 32, {
      doc: "of poll: 1 with a time limit",
      domain: ({ function_type }) => (function_type === POLL ? BOOLEAN : undefined),
      kept: false,
    }),
    arg_3: word("u64", 40),
    arg_4: word("u64", 48, {
      doc: "nanoseconds left at the start of the checkpoint",
      domain: NANOSECONDS,
      kept: false,
    }),
  },
);
