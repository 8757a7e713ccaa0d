import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const USER_S390_REGS_ENTRY = message("user_s390_regs_entry", "General registers of an IBM Z thread.", {
  psw_mask: required(1, "uint64", { doc: "first half of the program status word" }),
  psw_addr: required(2, "uint64", { doc: "program counter" }),
  gprs: repeated(3, "uint64", { doc: "r0 to r15" }),
  acrs: repeated(4, "uint32", { doc: "access registers a0 to a15; the first two hold the thread pointer" }),
  orig_gpr2: required(5, "uint64", { doc: "r2 at the entry to the system call, for a restart of it" }),
  system_call: required(6, "uint32", { doc: "number of the system call that the thread was in, 0 for none" }),
});
export type UserS390RegsEntry = Value<typeof USER_S390_REGS_ENTRY>;

export const USER_S390_FPREGS_ENTRY = message(
  "user_s390_fpregs_entry",
  "Floating point registers of an IBM Z thread.",
  {
    fpc: required(1, "uint32", { doc: "control register" }),
    fprs: repeated(2, "uint64", { doc: "f0 to f15" }),
  },
);
export type UserS390FpregsEntry = Value<typeof USER_S390_FPREGS_ENTRY>;

export const USER_S390_VXRS_LOW_ENTRY = message(
  "user_s390_vxrs_low_entry",
  "Low halves of the vector registers v0 to v15; the high ones are the floating point registers.",
  {
    regs: repeated(1, "uint64"),
  },
);
export type UserS390VxrsLowEntry = Value<typeof USER_S390_VXRS_LOW_ENTRY>;

export const USER_S390_VXRS_HIGH_ENTRY = message(
  "user_s390_vxrs_high_entry",
  "The vector registers v16 to v31, two words each.",
  {
    regs: repeated(1, "uint64"),
  },
);
export type UserS390VxrsHighEntry = Value<typeof USER_S390_VXRS_HIGH_ENTRY>;

export const USER_S390_GS_CB_ENTRY = message("user_s390_gs_cb_entry", "A control block of guarded storage.", {
  regs: repeated(1, "uint64"),
});
export type UserS390GsCbEntry = Value<typeof USER_S390_GS_CB_ENTRY>;

export const USER_S390_RI_ENTRY = message(
  "user_s390_ri_entry",
  "The control block of run-time instrumentation.",
  {
    ri_on: required(1, "uint32", { doc: "1 when the instrumentation was running" }),
    regs: repeated(2, "uint64"),
  },
);
export type UserS390RiEntry = Value<typeof USER_S390_RI_ENTRY>;

export const THREAD_INFO_S390 = message("thread_info_s390", "Registers of an IBM Z thread.", {
  clear_tid_addr: required(1, "uint64", {
    doc: "address that the kernel clears when the thread ends, set_tid_address(2)",
    show: { as: "hex" },
  }),
  gpregs: required(2, USER_S390_REGS_ENTRY, { show: { as: "hex" } }),
  fpregs: required(3, USER_S390_FPREGS_ENTRY, { show: { as: "hex" } }),
  vxrs_low: optional(4, USER_S390_VXRS_LOW_ENTRY, { show: { as: "hex" } }),
  vxrs_high: optional(5, USER_S390_VXRS_HIGH_ENTRY, { show: { as: "hex" } }),
  gs_cb: optional(6, USER_S390_GS_CB_ENTRY, {
    doc: "guarded storage control block",
    show: { as: "hex" },
    since: "3.6",
  }),
  gs_bc: optional(7, USER_S390_GS_CB_ENTRY, {
    doc: "the same, for the next broadcast",
    show: { as: "hex" },
    since: "3.6",
  }),
  ri_cb: optional(8, USER_S390_RI_ENTRY, {
    doc: "run-time instrumentation control block",
    show: { as: "hex" },
    since: "3.6",
  }),
});
export type ThreadInfoS390 = Value<typeof THREAD_INFO_S390>;
