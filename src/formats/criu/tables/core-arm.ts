import { message, repeated, required, type Value } from "../../../schema/message.js";

export const USER_ARM_REGS_ENTRY = message(
  "user_arm_regs_entry",
  "General registers of a 32-bit ARM thread.",
  {
    r0: required(1, "uint32"),
    r1: required(2, "uint32"),
    r2: required(3, "uint32"),
    r3: required(4, "uint32"),
    r4: required(5, "uint32"),
    r5: required(6, "uint32"),
    r6: required(7, "uint32"),
    r7: required(8, "uint32"),
    r8: required(9, "uint32"),
    r9: required(10, "uint32"),
    r10: required(11, "uint32"),
    fp: required(12, "uint32"),
    ip: required(13, "uint32"),
    sp: required(14, "uint32"),
    lr: required(15, "uint32"),
    pc: required(16, "uint32"),
    cpsr: required(17, "uint32"),
    orig_r0: required(18, "uint32", { doc: "r0 at the entry to the system call, for a restart of it" }),
  },
);
export type UserArmRegsEntry = Value<typeof USER_ARM_REGS_ENTRY>;

export const USER_ARM_VFPSTATE_ENTRY = message(
  "user_arm_vfpstate_entry",
  "Floating point registers of a 32-bit ARM thread.",
  {
    vfp_regs: repeated(1, "uint64", { doc: "d0 to d31" }),
    fpscr: required(2, "uint32"),
    fpexc: required(3, "uint32"),
    fpinst: required(4, "uint32"),
    fpinst2: required(5, "uint32"),
  },
);
export type UserArmVfpstateEntry = Value<typeof USER_ARM_VFPSTATE_ENTRY>;

export const THREAD_INFO_ARM = message("thread_info_arm", "Registers of a 32-bit ARM thread.", {
  clear_tid_addr: required(1, "uint64", {
    doc: "address that the kernel clears when the thread ends, set_tid_address(2)",
    show: { as: "hex" },
  }),
  tls: required(2, "uint32", { doc: "thread pointer" }),
  gpregs: required(3, USER_ARM_REGS_ENTRY, { show: { as: "hex" } }),
  fpstate: required(4, USER_ARM_VFPSTATE_ENTRY),
});
export type ThreadInfoArm = Value<typeof THREAD_INFO_ARM>;
