import type { Machine, Note } from "../../formats/elf/core-file.js";
import {
  ELF_PRPSINFO_32,
  ELF_PRPSINFO_64,
  ELF_PRPSINFO_PPC32,
  NT_FPREGSET,
} from "../../formats/elf/core-notes.js";
import * as elf from "../../formats/elf/core-registers.js";
import type { StructTable } from "../../schema/struct.js";

/** A layout, and what stands before the names of its fields where the model has them. */
export type Layout = readonly [table: StructTable, prefix: string];

/** A note with registers, in the first of these layouts of which the image has any. */
export interface RegisterSet extends Pick<Note, "owner" | "type"> {
  readonly layouts: readonly Layout[];
}

/** How a core of an architecture is written. */
export interface CoreArchitecture extends Machine {
  /** Registers in the status of a thread. */
  readonly general: readonly Layout[];
  readonly processInfo: StructTable;
  readonly sets: readonly RegisterSet[];
}

const LITTLE_64 = {
  wordBytes: 8,
  byteOrder: "little-endian",
  processInfo: ELF_PRPSINFO_64,
  flags: 0,
} as const;
const BIG_64 = { ...LITTLE_64, byteOrder: "big-endian" } as const;
const LITTLE_32 = { ...LITTLE_64, wordBytes: 4, processInfo: ELF_PRPSINFO_32 } as const;

function floatingPoint(...layouts: Layout[]): RegisterSet {
  return { owner: "CORE", type: NT_FPREGSET, layouts };
}

function set(type: number, ...layouts: Layout[]): RegisterSet {
  return { owner: "LINUX", type, layouts };
}

const PPC64 = {
  machine: 21,
  general: [
    [elf.PPC64_REGS, ""],
    [elf.PPC64_PT_REGS, ""],
  ],
  sets: [
    floatingPoint([elf.PPC64_FPREGS, "fpstate."]),
    set(elf.NT_PPC_VMX, [elf.PPC64_VMX, "vrstate."]),
    set(elf.NT_PPC_VSX, [elf.PPC64_VSX, "vsxstate."]),
  ],
} as const;

/**
 * Architectures as `uname -m` calls them, with EM_ and EF_ of elf.h. The floating point of x86 is an XSAVE area, which
 * `x86-notes.ts` puts together.
 */
export const CORE_ARCHITECTURES: Readonly<Record<string, CoreArchitecture>> = {
  x86_64: { ...LITTLE_64, machine: 62, general: [[elf.X86_64_REGS, ""]], sets: [] },
  i686: { ...LITTLE_32, machine: 3, general: [[elf.I386_REGS, ""]], sets: [] },
  aarch64: {
    ...LITTLE_64,
    machine: 183,
    general: [[elf.AARCH64_REGS, ""]],
    sets: [
      floatingPoint([elf.AARCH64_FPSIMD, "fpsimd."]),
      set(elf.NT_ARM_TLS, [elf.AARCH64_TLS, ""]),
      set(elf.NT_ARM_PACA_KEYS, [elf.AARCH64_PACA_KEYS, "pac_keys.pac_address_keys."]),
      set(elf.NT_ARM_PACG_KEYS, [elf.AARCH64_PACG_KEYS, "pac_keys.pac_generic_keys."]),
      set(elf.NT_ARM_PAC_ENABLED_KEYS, [elf.AARCH64_PAC_ENABLED_KEYS, "pac_keys.pac_address_keys."]),
    ],
  },
  armv7l: {
    ...LITTLE_32,
    machine: 40,
    flags: 0x500_0000,
    general: [
      [elf.ARM_REGS, ""],
      [elf.ARM_UREGS, ""],
    ],
    sets: [set(elf.NT_ARM_VFP, [elf.ARM_VFP, "fpstate."])],
  },
  s390x: {
    ...BIG_64,
    machine: 22,
    general: [
      [elf.S390_REGS, ""],
      [elf.S390_CPU_REGS, ""],
    ],
    sets: [
      floatingPoint([elf.S390_FPREGS, "fpregs."], [elf.S390_FPREGS, ""]),
      set(elf.NT_S390_SYSTEM_CALL, [elf.S390_SYSTEM_CALL, ""]),
      set(elf.NT_S390_VXRS_LOW, [elf.S390_VXRS_LOW, "vxrs_low."]),
      set(elf.NT_S390_VXRS_HIGH, [elf.S390_VXRS_HIGH, "vxrs_high."]),
      set(elf.NT_S390_GS_CB, [elf.S390_GS_CB, "gs_cb."]),
      set(elf.NT_S390_GS_BC, [elf.S390_GS_CB, "gs_bc."]),
      set(elf.NT_S390_RI_CB, [elf.S390_RI_CB, "ri_cb."]),
    ],
  },
  ppc64le: { ...LITTLE_64, ...PPC64, flags: 2 },
  ppc64: { ...BIG_64, ...PPC64, flags: 1 },
  ppc: {
    ...{ ...LITTLE_32, byteOrder: "big-endian", processInfo: ELF_PRPSINFO_PPC32 },
    ...{ machine: 20, general: [[elf.PPC32_PT_REGS, ""]], sets: [] },
  },
  mips64: {
    ...LITTLE_64,
    machine: 8,
    general: [[elf.MIPS64_REGS, ""]],
    sets: [floatingPoint([elf.MIPS64_FPREGS, "fpregs."])],
  },
  loongarch64: {
    ...LITTLE_64,
    machine: 258,
    flags: 0x43,
    general: [[elf.LOONGARCH64_REGS, ""]],
    sets: [floatingPoint([elf.LOONGARCH64_FPREGS, "fpregs."])],
  },
  riscv64: {
    ...LITTLE_64,
    machine: 243,
    flags: 5,
    general: [[elf.RISCV64_REGS, ""]],
    sets: [floatingPoint([elf.RISCV64_FPREGS, "fpsimd."])],
  },
};
