import { message, repeated, required, type Value } from "../../../schema/message.js";

export const USER_LOONGARCH64_GPREGS_ENTRY = message(
  "user_loongarch64_gpregs_entry",
  "General registers of a LoongArch thread.",
  {
    regs: repeated(1, "uint64", { doc: "r0 to r31" }),
    pc: required(2, "uint64"),
  },
);
export type UserLoongarch64GpregsEntry = Value<typeof USER_LOONGARCH64_GPREGS_ENTRY>;

export const USER_LOONGARCH64_FPREGS_ENTRY = message(
  "user_loongarch64_fpregs_entry",
  "Floating point registers of a LoongArch thread.",
  {
    regs: repeated(1, "uint64", { doc: "f0 to f31" }),
    fcc: required(2, "uint64", { doc: "condition flags, one byte each" }),
    fcsr: required(3, "uint32", { doc: "control and status register" }),
  },
);
export type UserLoongarch64FpregsEntry = Value<typeof USER_LOONGARCH64_FPREGS_ENTRY>;

export const THREAD_INFO_LOONGARCH64 = message(
  "thread_info_loongarch64",
  "Registers of a LoongArch thread.",
  {
    clear_tid_addr: required(1, "uint64", {
      doc: "address that the kernel clears when the thread ends, set_tid_address(2)",
      show: { as: "hex" },
    }),
    tls: required(2, "uint64", { doc: "thread pointer" }),
    gpregs: required(3, USER_LOONGARCH64_GPREGS_ENTRY, { show: { as: "hex" } }),
    fpregs: required(4, USER_LOONGARCH64_FPREGS_ENTRY, { show: { as: "hex" } }),
  },
);
export type ThreadInfoLoongarch64 = Value<typeof THREAD_INFO_LOONGARCH64>;
