import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const USER_S390_REGS_ENTRY = message("user_s390_regs_entry", "", {
  psw_mask: required(1, "uint64"),
  psw_addr: required(2, "uint64"),
  gprs: repeated(3, "uint64"),
  acrs: repeated(4, "uint32"),
  orig_gpr2: required(5, "uint64"),
  system_call: required(6, "uint32"),
});
export type UserS390RegsEntry = Value<typeof USER_S390_REGS_ENTRY>;

export const USER_S390_FPREGS_ENTRY = message("user_s390_fpregs_entry", "", {
  fpc: required(1, "uint32"),
  fprs: repeated(2, "uint64"),
});
export type UserS390FpregsEntry = Value<typeof USER_S390_FPREGS_ENTRY>;

export const USER_S390_VXRS_LOW_ENTRY = message("user_s390_vxrs_low_entry", "", {
  regs: repeated(1, "uint64"),
});
export type UserS390VxrsLowEntry = Value<typeof USER_S390_VXRS_LOW_ENTRY>;

export const USER_S390_VXRS_HIGH_ENTRY = message("user_s390_vxrs_high_entry", "", {
  regs: repeated(1, "uint64"),
});
export type UserS390VxrsHighEntry = Value<typeof USER_S390_VXRS_HIGH_ENTRY>;

export const USER_S390_GS_CB_ENTRY = message("user_s390_gs_cb_entry", "", {
  regs: repeated(1, "uint64"),
});
export type UserS390GsCbEntry = Value<typeof USER_S390_GS_CB_ENTRY>;

export const USER_S390_RI_ENTRY = message("user_s390_ri_entry", "", {
  ri_on: required(1, "uint32"),
  regs: repeated(2, "uint64"),
});
export type UserS390RiEntry = Value<typeof USER_S390_RI_ENTRY>;

export const THREAD_INFO_S390 = message("thread_info_s390", "", {
  clear_tid_addr: required(1, "uint64", { show: { as: "hex" } }),
  gpregs: required(2, USER_S390_REGS_ENTRY, { show: { as: "hex" } }),
  fpregs: required(3, USER_S390_FPREGS_ENTRY, { show: { as: "hex" } }),
  vxrs_low: optional(4, USER_S390_VXRS_LOW_ENTRY, { show: { as: "hex" } }),
  vxrs_high: optional(5, USER_S390_VXRS_HIGH_ENTRY, { show: { as: "hex" } }),
  gs_cb: optional(6, USER_S390_GS_CB_ENTRY, { show: { as: "hex" }, since: "3.6" }),
  gs_bc: optional(7, USER_S390_GS_CB_ENTRY, { show: { as: "hex" }, since: "3.6" }),
  ri_cb: optional(8, USER_S390_RI_ENTRY, { show: { as: "hex" }, since: "3.6" }),
});
export type ThreadInfoS390 = Value<typeof THREAD_INFO_S390>;
