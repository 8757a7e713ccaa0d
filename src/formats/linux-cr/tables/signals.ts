import { NANOSECONDS } from "../../../linux/time.js";
import { bytes, inners, struct, word } from "../../../schema/struct.js";

export const SIGACTION = struct("ckpt_sigaction", 32, "The action of one signal, sigaction(2)", {
  _sa_handler: word("u64", 0, { doc: "0 default, 1 ignored", show: { as: "hex" } }),
  sa_flags: word("u64", 8, { show: { as: "hex" } }),
  sa_restorer: word("u64", 16, { show: { as: "hex" } }),
  sa_mask: bytes(24, 8),
});

export const SIGINFO_0ABE2FE = struct("ckpt_siginfo", 48, "ckpt_siginfo of header sets 0abe2fe to f678773", {
  signo: word("u32", 0),
  _errno: word("u32", 4),
  code: word("u32", 8),
  pid: word("u32", 12),
  uid: word("s32", 16),
  sigval_int: word("u32", 20),
  sigval_ptr: word("u64", 24),
  utime: word("u64", 32),
  stime: word("u64", 40),
});

export const SIGINFO = struct("ckpt_siginfo", 88, "A queued signal, sigaction(2) siginfo_t", {
  csi_signo: word("u32", 0),
  csi_errno: word("s32", 4),
  csi_code: word("s32", 8),
  csi_pid: word("u32", 12),
  csi_uid: word("u32", 16),
  csi_fd: word("s32", 20),
  csi_tid: word("u32", 24),
  csi_band: word("u32", 28),
  csi_overrun: word("u32", 32),
  csi_trapno: word("u32", 36),
  csi_status: word("s32", 40),
  csi_int: word("s32", 44),
  csi_ptr: word("u64", 48, { show: { as: "hex" } }),
  csi_utime: word("u64", 56),
  csi_stime: word("u64", 64),
  csi_addr: word("u64", 72, { show: { as: "hex" } }),
  csi_sys_private: word("s32", 80),
});

export const RLIMIT = struct("ckpt_rlimit", 16, "Soft and hard limit, getrlimit(2)", {
  rlim_cur: word("u64", 0),
  rlim_max: word("u64", 8),
});

export const SIGNAL = struct(
  "SIGNAL",
  328,
  "Shared state of the threads of a process: limits, interval timers, terminal; pending signals follow",
  {
    rlim: inners(RLIMIT, 8, 16, { doc: "in the order of the RLIMIT_ numbers" }),
    it_real_value: word("u64", 264, {
      doc: "nanoseconds left, as the other timers",
      domain: NANOSECONDS,
      kept: false,
    }),
    it_real_incr: word("u64", 272, { domain: NANOSECONDS, kept: false }),
    it_virt_value: word("u64", 280, { domain: NANOSECONDS, kept: false }),
    it_virt_incr: word("u64", 288, { domain: NANOSECONDS, kept: false }),
    it_prof_value: word("u64", 296, { domain: NANOSECONDS, kept: false }),
    it_prof_incr: word("u64", 304, { domain: NANOSECONDS, kept: false }),
    tty_objref: word("s32", 312, { doc: "controlling terminal, 0 for none" }),
    tty_pgrp: word("s32", 316),
    tty_old_pgrp: word("s32", 320),
  },
);

export const SIGNAL_TASK = struct("SIGNAL_TASK", 16, "Blocked signals of a task", {
  blocked: bytes(8, 8),
});

export const SIGPENDING = struct("SIGPENDING", 24, "Pending signals: the record has `nr_pending` siginfo", {
  nr_pending: word("u32", 8, { doc: "siginfo in the record" }),
  signal: bytes(16, 8, { doc: "set of the pending signals" }),
});
