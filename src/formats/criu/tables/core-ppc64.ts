import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const USER_PPC64_REGS_ENTRY = message("user_ppc64_regs_entry", "", {
  gpr: repeated(1, "uint64"),
  nip: required(2, "uint64"),
  msr: required(3, "uint64"),
  orig_gpr3: required(4, "uint64"),
  ctr: required(5, "uint64"),
  link: required(6, "uint64"),
  xer: required(7, "uint64"),
  ccr: required(8, "uint64"),
  trap: required(9, "uint64"),
  texasr: optional(10, "uint64", { since: "2.6" }),
  tfhar: optional(11, "uint64", { since: "2.6" }),
  tfiar: optional(12, "uint64", { since: "2.6" }),
});
export type UserPpc64RegsEntry = Value<typeof USER_PPC64_REGS_ENTRY>;

export const USER_PPC64_FPSTATE_ENTRY = message("user_ppc64_fpstate_entry", "", {
  fpregs: repeated(1, "uint64"),
});
export type UserPpc64FpstateEntry = Value<typeof USER_PPC64_FPSTATE_ENTRY>;

export const USER_PPC64_VRSTATE_ENTRY = message("user_ppc64_vrstate_entry", "", {
  vrregs: repeated(1, "uint64"),
  vrsave: required(2, "uint32"),
});
export type UserPpc64VrstateEntry = Value<typeof USER_PPC64_VRSTATE_ENTRY>;

export const USER_PPC64_VSXSTATE_ENTRY = message("user_ppc64_vsxstate_entry", "", {
  vsxregs: repeated(1, "uint64"),
});
export type UserPpc64VsxstateEntry = Value<typeof USER_PPC64_VSXSTATE_ENTRY>;

export const USER_PPC64_TM_REGS_ENTRY = message("user_ppc64_tm_regs_entry", "", {
  gpregs: required(1, USER_PPC64_REGS_ENTRY),
  fpstate: optional(2, USER_PPC64_FPSTATE_ENTRY),
  vrstate: optional(3, USER_PPC64_VRSTATE_ENTRY),
  vsxstate: optional(4, USER_PPC64_VSXSTATE_ENTRY),
});
export type UserPpc64TmRegsEntry = Value<typeof USER_PPC64_TM_REGS_ENTRY>;

export const THREAD_INFO_PPC64 = message("thread_info_ppc64", "", {
  clear_tid_addr: required(1, "uint64", { show: { as: "hex" } }),
  gpregs: required(2, USER_PPC64_REGS_ENTRY, { show: { as: "hex" } }),
  fpstate: optional(3, USER_PPC64_FPSTATE_ENTRY),
  vrstate: optional(4, USER_PPC64_VRSTATE_ENTRY, { since: "1.7" }),
  vsxstate: optional(5, USER_PPC64_VSXSTATE_ENTRY, { since: "1.7" }),
  tmstate: optional(6, USER_PPC64_TM_REGS_ENTRY, { since: "2.6" }),
});
export type ThreadInfoPpc64 = Value<typeof THREAD_INFO_PPC64>;
