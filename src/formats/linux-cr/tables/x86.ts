import { struct, word } from "../../../schema/struct.js";

export const X86_HEADER_ARCH = struct(
  "HEADER_ARCH",
  16,
  "Saved processor features; must be equal at a restart",
  {
    has_fxsr: word("u16", 8),
    has_xsave: word("u16", 10),
    xstate_size: word("u16", 12, { doc: "bytes of CPU_FPU" }),
    _pading: word("u16", 14),
  },
);

export const X86_THREAD_0ABE2FE = struct("THREAD", 16, "THREAD as header sets 0abe2fe to f678773 wrote it", {
  thread_info_flags: word("u32", 8, { show: { as: "hex" } }),
  gdt_entry_tls_entries: word("u16", 12),
  sizeof_tls_array: word("u16", 14),
});

export const X86_THREAD = struct(
  "THREAD",
  24,
  "Thread area; the descriptors of set_thread_area(2) are in the record",
  {
    sysenter_return: word("u64", 8, { show: { as: "hex" } }),
    thread_info_flags: word("u32", 16, { show: { as: "hex" } }),
    gdt_entry_tls_entries: word("u16", 20),
    sizeof_tls_array: word("u16", 22, { doc: "bytes of descriptors in the record" }),
  },
);

export const X86_CPU_0ABE2FE = struct("CPU", 240, "CPU as header sets 0abe2fe to 76fcfe5 wrote it", {
  r15: word("u64", 8),
  r14: word("u64", 16),
  r13: word("u64", 24),
  r12: word("u64", 32),
  bp: word("u64", 40, { show: { as: "hex" } }),
  bx: word("u64", 48),
  r11: word("u64", 56),
  r10: word("u64", 64),
  r9: word("u64", 72),
  r8: word("u64", 80),
  ax: word("u64", 88),
  cx: word("u64", 96),
  dx: word("u64", 104),
  si: word("u64", 112),
  di: word("u64", 120),
  orig_ax: word("u64", 128),
  ip: word("u64", 136, { show: { as: "hex" } }),
  sp: word("u64", 144, { show: { as: "hex" } }),
  flags: word("u64", 152),
  fs: word("u64", 160),
  gs: word("u64", 168),
  fsindex: word("u16", 176),
  gsindex: word("u16", 178),
  cs: word("u16", 180),
  ss: word("u16", 182),
  ds: word("u16", 184),
  es: word("u16", 186),
  used_math: word("u32", 188),
  debugreg0: word("u64", 192),
  debugreg1: word("u64", 200),
  debugreg2: word("u64", 208),
  debugreg3: word("u64", 216),
  debugreg6: word("u64", 224),
  debugreg7: word("u64", 232),
});

export const X86_CPU = struct("CPU", 192, "Registers; selectors are stored as codes", {
  r15: word("u64", 8),
  r14: word("u64", 16),
  r13: word("u64", 24),
  r12: word("u64", 32),
  bp: word("u64", 40, { show: { as: "hex" } }),
  bx: word("u64", 48),
  r11: word("u64", 56),
  r10: word("u64", 64),
  r9: word("u64", 72),
  r8: word("u64", 80),
  ax: word("u64", 88),
  cx: word("u64", 96),
  dx: word("u64", 104),
  si: word("u64", 112),
  di: word("u64", 120),
  orig_ax: word("u64", 128),
  ip: word("u64", 136, { show: { as: "hex" } }),
  sp: word("u64", 144, { show: { as: "hex" } }),
  flags: word("u64", 152, { show: { as: "hex" } }),
  fs: word("u64", 160, { doc: "base; 0 if fsindex refers to a segment" }),
  gs: word("u64", 168, { doc: "base; 0 if gsindex refers to a segment" }),
  fsindex: word("u16", 176),
  gsindex: word("u16", 178),
  cs: word("u16", 180, { doc: "1 to 4 kernel segments, 0x4000+n thread area, 0x8000+n LDT" }),
  ss: word("u16", 182),
  ds: word("u16", 184),
  es: word("u16", 186),
  used_math: word("u32", 188, { doc: "if not 0, CPU_FPU follows" }),
});

export const X86_MM_CONTEXT = struct("MM_CONTEXT", 24, "Address of the vDSO; MM_CONTEXT_LDT follows", {
  vdso: word("u64", 8, { show: { as: "hex" } }),
  ldt_entry_size: word("u32", 16),
  nldt: word("u32", 20),
});
