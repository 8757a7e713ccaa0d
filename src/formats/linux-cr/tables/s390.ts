import { struct, word, words } from "../../../schema/struct.js";

export const S390_HEADER_ARCH = struct("HEADER_ARCH", 8, "Only the header", {});

export const S390_THREAD = struct("THREAD", 16, "Flags of the thread", {
  thread_info_flags: word("u64", 8, { show: { as: "hex" } }),
});

export const S390_CPU = struct("CPU", 440, "Registers", {
  args: word("u64", 8),
  gprs: words("u64", 16, 16),
  orig_gpr2: word("u64", 144),
  svcnr: word("u16", 152),
  ilc: word("u16", 154),
  acrs: words("u32", 156, 16),
  ieee_instruction_pointer: word("u64", 224),
  psw_t_mask: word("u64", 232),
  psw_t_addr: word("u64", 240),
  fpc: word("u32", 248),
  fprs: words("u64", 256, 16),
  per_control_regs: words("u64", 384, 3),
  starting_addr: word("u64", 408),
  ending_addr: word("u64", 416),
  address: word("u64", 424),
  perc_atmid: word("u16", 432),
  access_id: word("u8", 434),
  single_step: word("u8", 435),
  instruction_fetch: word("u8", 436),
});

export const S390_MM_CONTEXT = struct("MM_CONTEXT", 48, "vDSO and page table settings", {
  vdso_base: word("u64", 8, { show: { as: "hex" } }),
  noexec: word("u32", 16),
  has_pgste: word("u32", 20),
  alloc_pgste: word("u32", 24),
  asce_bits: word("u64", 32),
  asce_limit: word("u64", 40),
});
