import { message, repeated, required, type Value } from "../../../schema/message.js";

export const USER_LOONGARCH64_GPREGS_ENTRY = message("user_loongarch64_gpregs_entry", "", {
  regs: repeated(1, "uint64"),
  pc: required(2, "uint64"),
});
export type UserLoongarch64GpregsEntry = Value<typeof USER_LOONGARCH64_GPREGS_ENTRY>;

export const USER_LOONGARCH64_FPREGS_ENTRY = message("user_loongarch64_fpregs_entry", "", {
  regs: repeated(1, "uint64"),
  fcc: required(2, "uint64"),
  fcsr: required(3, "uint32"),
});
export type UserLoongarch64FpregsEntry = Value<typeof USER_LOONGARCH64_FPREGS_ENTRY>;

export const THREAD_INFO_LOONGARCH64 = message("thread_info_loongarch64", "", {
  clear_tid_addr: required(1, "uint64", { show: { as: "hex" } }),
  tls: required(2, "uint64"),
  gpregs: required(3, USER_LOONGARCH64_GPREGS_ENTRY, { show: { as: "hex" } }),
  fpregs: required(4, USER_LOONGARCH64_FPREGS_ENTRY, { show: { as: "hex" } }),
});
export type ThreadInfoLoongarch64 = Value<typeof THREAD_INFO_LOONGARCH64>;
