import { struct, word, words } from "../../../schema/struct.js";

export const ARM_HEADER_ARCH = struct("HEADER_ARCH", 16, "Processor and calling convention of the image", {
  cpu_architecture: word("u32", 8),
  mmu: word("u8", 12),
  aeabi: word("u8", 13),
  oabi_compat: word("u8", 14),
});

export const ARM_THREAD = struct("THREAD", 24, "System call, thread pointer and ThumbEE base", {
  syscall: word("u32", 8),
  tp_value: word("u32", 12),
  thumbee_state: word("u32", 16),
});

export const ARM_CPU = struct("CPU", 80, "Registers r0 to r15, cpsr and the r0 of the system call", {
  uregs: words("u32", 8, 18),
});

export const ARM_MM_CONTEXT = struct("MM_CONTEXT", 16, "End of the program break", {
  end_brk: word("u32", 8, { show: { as: "hex" } }),
});
