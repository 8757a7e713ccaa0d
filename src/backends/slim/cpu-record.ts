import type { Register } from "./sys/abi-x64.js";

/** Names of registers in CPU and in struct user_regs_struct. */
export const CPU_REGISTERS = {
  r15: "r15",
  r14: "r14",
  r13: "r13",
  r12: "r12",
  bp: "rbp",
  bx: "rbx",
  r11: "r11",
  r10: "r10",
  r9: "r9",
  r8: "r8",
  ax: "rax",
  cx: "rcx",
  dx: "rdx",
  si: "rsi",
  di: "rdi",
  orig_ax: "orig_rax",
  ip: "rip",
  sp: "rsp",
  flags: "eflags",
  fs: "fs_base",
  gs: "gs_base",
} as const satisfies Record<string, Register>;

/** Selectors of 64-bit tasks and the codes that stand for them, FORMAT of CPU: 3 user64 CS, 4 user64 DS. */
export const SELECTORS = [
  [0, 0],
  [0x33, 3],
  [0x2b, 4],
] as const;
