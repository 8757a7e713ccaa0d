/**
 * Register sets in the notes of core files, by the kernel's structures, arch/…/include/uapi/asm/ptrace.h. A field has the
 * kernel's name; where images number or name a register otherwise, a second table of the same layout has that name.
 */

import {
  type StructFields,
  type StructTable,
  struct,
  WORD_BYTES,
  type Word,
  word,
  words,
} from "../../schema/struct.js";

export const NT_PRXFPREG = 0x46e6_2b7f;
export const NT_X86_XSTATE = 0x202;
export const NT_ARM_VFP = 0x400;
export const NT_ARM_TLS = 0x401;
export const NT_ARM_PACA_KEYS = 0x407;
export const NT_ARM_PACG_KEYS = 0x408;
export const NT_ARM_PAC_ENABLED_KEYS = 0x40a;
export const NT_PPC_VMX = 0x100;
export const NT_PPC_VSX = 0x102;
export const NT_S390_SYSTEM_CALL = 0x307;
export const NT_S390_VXRS_LOW = 0x309;
export const NT_S390_VXRS_HIGH = 0x30a;
export const NT_S390_GS_CB = 0x30b;
export const NT_S390_GS_BC = 0x30c;
export const NT_S390_RI_CB = 0x30d;

export const X86_64_REGS = inOrder(
  "user_regs_struct",
  "u64",
  "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss fs_base gs_base ds es fs gs",
);
export const I386_REGS = inOrder(
  "user_regs_struct32",
  "u32",
  "bx cx dx si di bp ax ds es fs gs orig_ax ip cs flags sp ss",
);

export const ARM_REGS = inOrder(
  "pt_regs",
  "u32",
  "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 fp ip sp lr pc cpsr orig_r0",
);
export const ARM_UREGS = struct("pt_regs", 72, "General registers of 32-bit ARM", {
  uregs: words("u32", 0, 18),
});
export const ARM_VFP = struct("user_vfp", 260, "VFP registers of 32-bit ARM", {
  vfp_regs: words("u64", 0, 32),
  fpscr: word("u32", 256),
});

export const AARCH64_REGS = struct("user_pt_regs", 272, "General registers of AArch64", {
  regs: words("u64", 0, 31),
  sp: word("u64", 248),
  pc: word("u64", 256),
  pstate: word("u64", 264),
});
export const AARCH64_FPSIMD = struct(
  "user_fpsimd_state",
  528,
  "Floating point and SIMD registers of AArch64",
  {
    vregs: words("u64", 0, 64),
    fpsr: word("u32", 512),
    fpcr: word("u32", 516),
  },
);
export const AARCH64_TLS = inOrder("tpidr_el0", "u64", "tls");
export const AARCH64_PACA_KEYS = inOrder(
  "user_pac_address_keys",
  "u64",
  "apiakey_lo apiakey_hi apibkey_lo apibkey_hi apdakey_lo apdakey_hi apdbkey_lo apdbkey_hi",
);
export const AARCH64_PACG_KEYS = inOrder("user_pac_generic_keys", "u64", "apgakey_lo apgakey_hi");
export const AARCH64_PAC_ENABLED_KEYS = inOrder("pac_enabled_keys", "u64", "pac_enabled_key");

export const S390_REGS = struct("s390_regs", 216, "General registers of IBM Z", {
  psw_mask: word("u64", 0),
  psw_addr: word("u64", 8),
  gprs: words("u64", 16, 16),
  acrs: words("u32", 144, 16),
  orig_gpr2: word("u64", 208),
});
export const S390_CPU_REGS = struct("s390_regs", 216, "The same by the names of linux-cr", {
  psw_t_mask: word("u64", 0),
  psw_t_addr: word("u64", 8),
  gprs: words("u64", 16, 16),
  acrs: words("u32", 144, 16),
  orig_gpr2: word("u64", 208),
});
export const S390_FPREGS = struct("s390_fp_regs", 136, "Floating point registers of IBM Z", {
  fpc: word("u32", 0),
  fprs: words("u64", 8, 16),
});
export const S390_VXRS_LOW = numbered("vxrs_low", "u64", 16);
export const S390_VXRS_HIGH = numbered("vxrs_high", "u64", 32);
export const S390_GS_CB = numbered("gs_cb", "u64", 4);
export const S390_RI_CB = numbered("runtime_instr_cb", "u64", 8);
export const S390_SYSTEM_CALL = inOrder("system_call", "u32", "system_call");

export const PPC64_REGS = struct("pt_regs", 384, "General registers of 64-bit Power: ELF_NGREG words", {
  gpr: words("u64", 0, 32),
  nip: word("u64", 256),
  msr: word("u64", 264),
  orig_gpr3: word("u64", 272),
  ctr: word("u64", 280),
  link: word("u64", 288),
  xer: word("u64", 296),
  ccr: word("u64", 304),
  trap: word("u64", 320),
});
export const PPC64_PT_REGS = struct("pt_regs", 384, "The same, numbered", { pt_regs: words("u64", 0, 44) });
export const PPC32_PT_REGS = struct("pt_regs", 192, "General registers of 32-bit Power", {
  pt_regs: words("u32", 0, 44),
});
export const PPC64_FPREGS = struct("elf_fpregset_t", 264, "Floating point registers of 64-bit Power", {
  fpregs: words("u64", 0, 33),
});
export const PPC64_VMX = struct("elf_vrregset_t", 544, "AltiVec registers of 64-bit Power", {
  vrregs: words("u64", 0, 66),
  vrsave: word("u32", 528),
});
export const PPC64_VSX = struct(
  "elf_vsrreghalf_t32",
  256,
  "Low halves of the VSX registers of 64-bit Power",
  {
    vsxregs: words("u64", 0, 32),
  },
);

export const MIPS64_REGS = struct("elf_gregset_t", 360, "General registers of 64-bit MIPS: ELF_NGREG words", {
  r: words("u64", 0, 32),
  lo: word("u64", 256),
  hi: word("u64", 264),
  cp0_epc: word("u64", 272),
  cp0_badvaddr: word("u64", 280),
  cp0_status: word("u64", 288),
  cp0_cause: word("u64", 296),
});
export const MIPS64_FPREGS = struct("elf_fpregset_t", 264, "Floating point registers of 64-bit MIPS", {
  r: words("u64", 0, 32),
  fpu_fcr31: word("u32", 256),
  fpu_id: word("u32", 260),
});

export const LOONGARCH64_REGS = struct("user_pt_regs", 360, "General registers of LoongArch", {
  regs: words("u64", 0, 32),
  pc: word("u64", 264),
});
export const LOONGARCH64_FPREGS = struct("user_fp_state", 272, "Floating point registers of LoongArch", {
  regs: words("u64", 0, 32),
  fcc: word("u64", 256),
  fcsr: word("u32", 264),
});

export const RISCV64_REGS = inOrder(
  "user_regs_struct",
  "u64",
  "pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6",
);
export const RISCV64_FPREGS = struct("__riscv_d_ext_state", 264, "Floating point registers of RISC-V", {
  f: words("u64", 0, 32),
  fcsr: word("u32", 256),
});

/** Registers of one width, one after the other. */
function inOrder(name: string, type: Word, registers: string): StructTable {
  const size = WORD_BYTES[type];
  const names = registers.split(" ");
  const fields: StructFields = Object.fromEntries(names.map((each, i) => [each, word(type, i * size)]));
  return struct(name, names.length * size, `Registers ${registers}`, fields);
}

function numbered(name: string, type: Word, count: number): StructTable {
  return struct(name, count * WORD_BYTES[type], `Registers 0 to ${count - 1}`, {
    regs: words(type, 0, count),
  });
}
