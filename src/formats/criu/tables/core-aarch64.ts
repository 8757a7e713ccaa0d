import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const PAC_ADDRESS_KEYS = message(
  "pac_address_keys",
  "Pointer authentication keys for addresses, each of 128 bits.",
  {
    apiakey_lo: required(1, "uint64"),
    apiakey_hi: required(2, "uint64"),
    apibkey_lo: required(3, "uint64"),
    apibkey_hi: required(4, "uint64"),
    apdakey_lo: required(5, "uint64"),
    apdakey_hi: required(6, "uint64"),
    apdbkey_lo: required(7, "uint64"),
    apdbkey_hi: required(8, "uint64"),
    pac_enabled_key: required(9, "uint64", { doc: "PR_PAC_AP*KEY bits of the keys in use" }),
  },
);
export type PacAddressKeys = Value<typeof PAC_ADDRESS_KEYS>;

export const PAC_GENERIC_KEYS = message(
  "pac_generic_keys",
  "The generic pointer authentication key, 128 bits.",
  {
    apgakey_lo: required(1, "uint64"),
    apgakey_hi: required(2, "uint64"),
  },
);
export type PacGenericKeys = Value<typeof PAC_GENERIC_KEYS>;

export const PAC_KEYS = message("pac_keys", "Pointer authentication keys of an AArch64 thread.", {
  pac_address_keys: optional(6, PAC_ADDRESS_KEYS),
  pac_generic_keys: optional(7, PAC_GENERIC_KEYS),
});
export type PacKeys = Value<typeof PAC_KEYS>;

export const USER_AARCH64_REGS_ENTRY = message(
  "user_aarch64_regs_entry",
  "General registers of an AArch64 thread.",
  {
    regs: repeated(1, "uint64", { doc: "x0 to x30" }),
    sp: required(2, "uint64"),
    pc: required(3, "uint64"),
    pstate: required(4, "uint64"),
  },
);
export type UserAarch64RegsEntry = Value<typeof USER_AARCH64_REGS_ENTRY>;

export const USER_AARCH64_FPSIMD_CONTEXT_ENTRY = message(
  "user_aarch64_fpsimd_context_entry",
  "Floating point and SIMD registers of an AArch64 thread.",
  {
    vregs: repeated(1, "uint64", { doc: "v0 to v31, two words each, the low one first" }),
    fpsr: required(2, "uint32"),
    fpcr: required(3, "uint32"),
  },
);
export type UserAarch64FpsimdContextEntry = Value<typeof USER_AARCH64_FPSIMD_CONTEXT_ENTRY>;

export const THREAD_INFO_AARCH64 = message("thread_info_aarch64", "Registers of an AArch64 thread.", {
  clear_tid_addr: required(1, "uint64", {
    doc: "address that the kernel clears when the thread ends, set_tid_address(2)",
    show: { as: "hex" },
  }),
  tls: required(2, "uint64", { doc: "the register TPIDR_EL0" }),
  gpregs: required(3, USER_AARCH64_REGS_ENTRY, { show: { as: "hex" } }),
  fpsimd: required(4, USER_AARCH64_FPSIMD_CONTEXT_ENTRY),
  pac_keys: optional(5, PAC_KEYS, { since: "4.1" }),
});
export type ThreadInfoAarch64 = Value<typeof THREAD_INFO_AARCH64>;
