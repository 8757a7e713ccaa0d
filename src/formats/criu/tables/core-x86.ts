import { enumTable } from "../../../io/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const USER_X86_REGS_MODE = enumTable("user_x86_regs_mode", {
  NATIVE: 1,
  COMPAT: 2,
});

export const USER_X86_REGS_ENTRY = message("user_x86_regs_entry", "General registers of an x86 thread.", {
  r15: required(1, "uint64"),
  r14: required(2, "uint64"),
  r13: required(3, "uint64"),
  r12: required(4, "uint64"),
  bp: required(5, "uint64"),
  bx: required(6, "uint64"),
  r11: required(7, "uint64"),
  r10: required(8, "uint64"),
  r9: required(9, "uint64"),
  r8: required(10, "uint64"),
  ax: required(11, "uint64"),
  cx: required(12, "uint64"),
  dx: required(13, "uint64"),
  si: required(14, "uint64"),
  di: required(15, "uint64"),
  orig_ax: required(16, "uint64", {
    doc: "number of the system call that the thread was in, all ones for none",
  }),
  ip: required(17, "uint64"),
  cs: required(18, "uint64"),
  flags: required(19, "uint64", { doc: "the flags register" }),
  sp: required(20, "uint64"),
  ss: required(21, "uint64"),
  fs_base: required(22, "uint64", { doc: "thread pointer of 64-bit programs" }),
  gs_base: required(23, "uint64"),
  ds: required(24, "uint64"),
  es: required(25, "uint64"),
  fs: required(26, "uint64"),
  gs: required(27, "uint64"),
  mode: optional(28, USER_X86_REGS_MODE, {
    doc: "width of the thread's code",
    default: "NATIVE",
    since: "3.0",
  }),
});
export type UserX86RegsEntry = Value<typeof USER_X86_REGS_ENTRY>;

export const USER_X86_CET_ENTRY = message("user_x86_cet_entry", "Shadow stack state of an x86 thread.", {
  cet: required(1, "uint64", { doc: "features in use, the MSR U_CET", show: { as: "hex" } }),
  ssp: required(2, "uint64", { doc: "shadow stack pointer", show: { as: "hex" } }),
});
export type UserX86CetEntry = Value<typeof USER_X86_CET_ENTRY>;

export const USER_X86_XSAVE_ENTRY = message(
  "user_x86_xsave_entry",
  "Extended registers of an x86 thread, by parts of the XSAVE area.",
  {
    xstate_bv: required(1, "uint64", { doc: "parts of the area in use" }),
    ymmh_space: repeated(2, "uint32", { doc: "high halves of ymm0 to ymm15" }),
    bndreg_state: repeated(3, "uint64", { doc: "bounds registers of MPX", since: "3.11" }),
    bndcsr_state: repeated(4, "uint64", { doc: "control registers of MPX", since: "3.11" }),
    opmask_reg: repeated(5, "uint64", { doc: "k0 to k7", since: "3.11" }),
    zmm_upper: repeated(6, "uint64", { doc: "high halves of zmm0 to zmm15", since: "3.11" }),
    hi16_zmm: repeated(7, "uint64", { doc: "zmm16 to zmm31", since: "3.11" }),
    pkru: repeated(8, "uint32", { doc: "rights of the memory protection keys", since: "3.11" }),
    cet: optional(9, USER_X86_CET_ENTRY, { since: "4.0" }),
  },
);
export type UserX86XsaveEntry = Value<typeof USER_X86_XSAVE_ENTRY>;

export const USER_X86_FPREGS_ENTRY = message(
  "user_x86_fpregs_entry",
  "Floating point and SSE registers of an x86 thread, as FXSAVE stores them.",
  {
    cwd: required(1, "uint32", { doc: "control word" }),
    swd: required(2, "uint32", { doc: "status word" }),
    twd: required(3, "uint32", { doc: "tag word, abridged" }),
    fop: required(4, "uint32", { doc: "last instruction" }),
    rip: required(5, "uint64", { doc: "address of the last instruction" }),
    rdp: required(6, "uint64", { doc: "address of its operand" }),
    mxcsr: required(7, "uint32"),
    mxcsr_mask: required(8, "uint32"),
    st_space: repeated(9, "uint32", { doc: "st0 to st7, four words each" }),
    xmm_space: repeated(10, "uint32", { doc: "xmm0 to xmm15, four words each" }),
    padding: repeated(11, "uint32", { deprecated: true }),
    xsave: optional(13, USER_X86_XSAVE_ENTRY, { since: "0.4" }),
  },
);
export type UserX86FpregsEntry = Value<typeof USER_X86_FPREGS_ENTRY>;

export const USER_DESC_T = message(
  "user_desc_t",
  "A segment of thread-local storage of a 32-bit program, set_thread_area(2).",
  {
    entry_number: required(1, "uint32", { doc: "index in the global descriptor table" }),
    base_addr: required(2, "uint32"),
    limit: required(3, "uint32", { doc: "last byte, or last page with limit_in_pages" }),
    seg_32bit: required(4, "bool"),
    contents_h: required(5, "bool", { doc: "high bit of the kernel's two-bit contents" }),
    contents_l: required(6, "bool", { doc: "low bit of the kernel's two-bit contents" }),
    read_exec_only: required(7, "bool", { default: true }),
    limit_in_pages: required(8, "bool"),
    seg_not_present: required(9, "bool", { default: true }),
    usable: required(10, "bool"),
  },
);
export type UserDescT = Value<typeof USER_DESC_T>;

export const THREAD_INFO_X86 = message("thread_info_x86", "Registers of an x86 thread.", {
  clear_tid_addr: required(1, "uint64", {
    doc: "address that the kernel clears when the thread ends, set_tid_address(2)",
    show: { as: "hex" },
  }),
  gpregs: required(2, USER_X86_REGS_ENTRY, { show: { as: "hex" } }),
  fpregs: required(3, USER_X86_FPREGS_ENTRY),
  tls: repeated(4, USER_DESC_T, { doc: "segments of 32-bit programs", since: "3.0" }),
});
export type ThreadInfoX86 = Value<typeof THREAD_INFO_X86>;

/** Numbers that a list of the FXSAVE area has at least: Intel SDM volume 1, 10.5.1; criu refuses fewer. */
export const FXSAVE_COUNTS = [
  ["st_space", 32],
  ["xmm_space", 64],
] as const;

/** Numbers of the lists of XSAVE areas, which are whole or empty: Intel SDM volume 1, 13.5. */
export const XSAVE_COUNTS = [
  ["ymmh_space", 64],
  ["opmask_reg", 8],
  ["zmm_upper", 64],
  ["hi16_zmm", 128],
  ["pkru", 2],
] as const;
