import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const PAC_ADDRESS_KEYS = message("pac_address_keys", "", {
  apiakey_lo: required(1, "uint64"),
  apiakey_hi: required(2, "uint64"),
  apibkey_lo: required(3, "uint64"),
  apibkey_hi: required(4, "uint64"),
  apdakey_lo: required(5, "uint64"),
  apdakey_hi: required(6, "uint64"),
  apdbkey_lo: required(7, "uint64"),
  apdbkey_hi: required(8, "uint64"),
  pac_enabled_key: required(9, "uint64"),
});
export type PacAddressKeys = Value<typeof PAC_ADDRESS_KEYS>;

export const PAC_GENERIC_KEYS = message("pac_generic_keys", "", {
  apgakey_lo: required(1, "uint64"),
  apgakey_hi: required(2, "uint64"),
});
export type PacGenericKeys = Value<typeof PAC_GENERIC_KEYS>;

export const PAC_KEYS = message("pac_keys", "", {
  pac_address_keys: optional(6, PAC_ADDRESS_KEYS),
  pac_generic_keys: optional(7, PAC_GENERIC_KEYS),
});
export type PacKeys = Value<typeof PAC_KEYS>;

export const USER_AARCH64_REGS_ENTRY = message("user_aarch64_regs_entry", "", {
  regs: repeated(1, "uint64"),
  sp: required(2, "uint64"),
  pc: required(3, "uint64"),
  pstate: required(4, "uint64"),
});
export type UserAarch64RegsEntry = Value<typeof USER_AARCH64_REGS_ENTRY>;

export const USER_AARCH64_FPSIMD_CONTEXT_ENTRY = message("user_aarch64_fpsimd_context_entry", "", {
  vregs: repeated(1, "uint64"),
  fpsr: required(2, "uint32"),
  fpcr: required(3, "uint32"),
});
export type UserAarch64FpsimdContextEntry = Value<typeof USER_AARCH64_FPSIMD_CONTEXT_ENTRY>;

export const THREAD_INFO_AARCH64 = message("thread_info_aarch64", "", {
  clear_tid_addr: required(1, "uint64", { show: { as: "hex" } }),
  tls: required(2, "uint64"),
  gpregs: required(3, USER_AARCH64_REGS_ENTRY, { show: { as: "hex" } }),
  fpsimd: required(4, USER_AARCH64_FPSIMD_CONTEXT_ENTRY),
  pac_keys: optional(5, PAC_KEYS, { since: "4.1" }),
});
export type ThreadInfoAarch64 = Value<typeof THREAD_INFO_AARCH64>;
