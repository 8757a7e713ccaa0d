import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const USER_PPC64_REGS_ENTRY = message(
  "user_ppc64_regs_entry",
  "General registers of a 64-bit Power thread.",
  {
    gpr: repeated(1, "uint64", { doc: "r0 to r31" }),
    nip: required(2, "uint64", { doc: "program counter" }),
    msr: required(3, "uint64", {
      doc: "machine state; its bits tell which of the other register sets are in use",
    }),
    orig_gpr3: required(4, "uint64", { doc: "r3 at the entry to the system call, for a restart of it" }),
    ctr: required(5, "uint64"),
    link: required(6, "uint64"),
    xer: required(7, "uint64"),
    ccr: required(8, "uint64"),
    trap: required(9, "uint64", { doc: "number of the interrupt by which the thread entered the kernel" }),
    texasr: optional(10, "uint64", { doc: "transaction exception and status", since: "2.6" }),
    tfhar: optional(11, "uint64", { doc: "address of the failure handler of a transaction", since: "2.6" }),
    tfiar: optional(12, "uint64", { doc: "address at which a transaction failed", since: "2.6" }),
  },
);
export type UserPpc64RegsEntry = Value<typeof USER_PPC64_REGS_ENTRY>;

export const USER_PPC64_FPSTATE_ENTRY = message(
  "user_ppc64_fpstate_entry",
  "Floating point registers of a 64-bit Power thread.",
  {
    fpregs: repeated(1, "uint64", { doc: "f0 to f31, then the control and status register" }),
  },
);
export type UserPpc64FpstateEntry = Value<typeof USER_PPC64_FPSTATE_ENTRY>;

export const USER_PPC64_VRSTATE_ENTRY = message(
  "user_ppc64_vrstate_entry",
  "Altivec registers of a 64-bit Power thread.",
  {
    vrregs: repeated(1, "uint64", { doc: "v0 to v31 and the status register, two words each" }),
    vrsave: required(2, "uint32", { doc: "which vector registers are in use" }),
  },
);
export type UserPpc64VrstateEntry = Value<typeof USER_PPC64_VRSTATE_ENTRY>;

export const USER_PPC64_VSXSTATE_ENTRY = message(
  "user_ppc64_vsxstate_entry",
  "VSX registers of a 64-bit Power thread.",
  {
    vsxregs: repeated(1, "uint64", {
      doc: "the halves of the first 32 registers that lie beside the floating point ones",
    }),
  },
);
export type UserPpc64VsxstateEntry = Value<typeof USER_PPC64_VSXSTATE_ENTRY>;

export const USER_PPC64_TM_REGS_ENTRY = message(
  "user_ppc64_tm_regs_entry",
  "Registers as they were when the transaction of a 64-bit Power thread began.",
  {
    gpregs: required(1, USER_PPC64_REGS_ENTRY),
    fpstate: optional(2, USER_PPC64_FPSTATE_ENTRY),
    vrstate: optional(3, USER_PPC64_VRSTATE_ENTRY),
    vsxstate: optional(4, USER_PPC64_VSXSTATE_ENTRY),
  },
);
export type UserPpc64TmRegsEntry = Value<typeof USER_PPC64_TM_REGS_ENTRY>;

export const THREAD_INFO_PPC64 = message("thread_info_ppc64", "Registers of a 64-bit Power thread.", {
  clear_tid_addr: required(1, "uint64", {
    doc: "address that the kernel clears when the thread ends, set_tid_address(2)",
    show: { as: "hex" },
  }),
  gpregs: required(2, USER_PPC64_REGS_ENTRY, { show: { as: "hex" } }),
  fpstate: optional(3, USER_PPC64_FPSTATE_ENTRY),
  vrstate: optional(4, USER_PPC64_VRSTATE_ENTRY, { since: "1.7" }),
  vsxstate: optional(5, USER_PPC64_VSXSTATE_ENTRY, { since: "1.7" }),
  tmstate: optional(6, USER_PPC64_TM_REGS_ENTRY, {
    doc: "only for a thread inside a transaction",
    since: "2.6",
  }),
});
export type ThreadInfoPpc64 = Value<typeof THREAD_INFO_PPC64>;
