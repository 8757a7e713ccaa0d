import type {
  UserDescT,
  UserX86FpregsEntry,
  UserX86RegsEntry,
  UserX86XsaveEntry,
} from "../../../formats/criu/tables/core-x86.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { wordBytes } from "../../../io/words.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";

/** user_x86_regs_entry.mode of 32-bit code. */
const COMPAT = 2;
const TIF_IA32 = 1 << 17;
const TLS_SLOTS = 3;
const FXSAVE_BYTES = 512;

/** THREAD: the segments of set_thread_area(2). */
export function writeThreadArea({ writer }: Context, { registers }: LiveThread): void {
  const slots = Array.from({ length: TLS_SLOTS }, (_, slot) => descriptorOf(registers.tls[slot]));
  const area = wordBytes("u64", slots, "segment descriptor");
  writer.record(
    RECORDS.THREAD,
    {
      thread_info_flags: isCompat(registers.gpregs) ? TIF_IA32 : 0,
      gdt_entry_tls_entries: TLS_SLOTS,
    },
    area,
  );
}

/** CPU and CPU_FPU. */
export function writeRegisters({ writer, losses }: Context, { registers, label }: LiveThread): void {
  const { gpregs, fpregs } = registers;
  const names = [
    "r15",
    "r14",
    "r13",
    "r12",
    "bp",
    "bx",
    "r11",
    "r10",
    "r9",
    "r8",
    "ax",
    "cx",
    "dx",
    "si",
    "di",
  ];
  const general = Object.fromEntries(
    [...names, "orig_ax", "ip", "sp", "flags"].map((name) => [name, gpregs[name as keyof UserX86RegsEntry]]),
  );
  const wide = isCompat(gpregs) ? 0 : 2;
  const selector = (name: "cs" | "ss" | "ds" | "es" | "fs" | "gs"): number => {
    const code = selectorCode(Number(gpregs[name]), wide);
    if (code === undefined)
      losses.add(label, `register ${name}`, `a stream has no code for the selector ${gpregs[name]}`);
    return code ?? 0;
  };
  writer.record(RECORDS.CPU, {
    ...general,
    fs: gpregs.fs === 0n ? gpregs.fs_base : 0n,
    gs: gpregs.gs === 0n ? gpregs.gs_base : 0n,
    fsindex: selector("fs"),
    gsindex: selector("gs"),
    cs: selector("cs"),
    ss: selector("ss"),
    ds: selector("ds"),
    es: selector("es"),
    used_math: 1,
  });
  writer.record(RECORDS.CPU_FPU, {}, fxsave(fpregs));
}

export function isCompat({ mode }: UserX86RegsEntry): boolean {
  return mode === COMPAT;
}

const USER32_CS = 0x23;
const USER_DS = 0x2b;
const USER64_CS = 0x33;
const FIRST_TLS = 12;
const IN_LDT = 4;

/** A selector by what it names, since kernels number their segments differently; `wide` is 2 for 64-bit code. */
function selectorCode(selector: number, wide: 0 | 2): number | undefined {
  if (selector === 0) return 0;
  if (selector === USER32_CS) return 1;
  if (selector === USER_DS) return 2 + wide;
  if (selector === USER64_CS) return 3;
  const entry = selector >> 3;
  if ((selector & IN_LDT) !== 0) return 0x8000 + entry;
  const slot = entry - FIRST_TLS;
  return slot >= 0 && slot < TLS_SLOTS ? 0x4000 + slot : undefined;
}

/** The processor's descriptor of a segment; 0 for an empty one. */
function descriptorOf(segment: UserDescT | undefined): bigint {
  if (segment === undefined) return 0n;
  const { base_addr: base, limit } = segment;
  const bit = (is: boolean, at: bigint): bigint => (is ? 1n << at : 0n);
  if (base === 0 && limit === 0 && segment.seg_not_present) return 0n;
  const CODE_OR_DATA = 1n << 44n;
  const USER_LEVEL = 3n << 45n;
  const ACCESSED = 1n << 40n;
  return (
    BigInt(limit & 0xffff) |
    (BigInt(base & 0xffffff) << 16n) |
    ACCESSED |
    bit(!segment.read_exec_only, 41n) |
    bit(segment.contents_l, 42n) |
    bit(segment.contents_h, 43n) |
    CODE_OR_DATA |
    USER_LEVEL |
    bit(!segment.seg_not_present, 47n) |
    (BigInt((limit >>> 16) & 0xf) << 48n) |
    bit(segment.usable, 52n) |
    bit(segment.seg_32bit, 54n) |
    bit(segment.limit_in_pages, 55n) |
    (BigInt(base >>> 24) << 56n)
  );
}

/** The area that FXSAVE writes. */
function fxsave(fpregs: UserX86FpregsEntry): Buffer {
  const area = Buffer.alloc(FXSAVE_BYTES);
  area.writeUInt16LE(fpregs.cwd & 0xffff, 0);
  area.writeUInt16LE(fpregs.swd & 0xffff, 2);
  area.writeUInt16LE(fpregs.twd & 0xffff, 4);
  area.writeUInt16LE(fpregs.fop & 0xffff, 6);
  area.writeBigUInt64LE(fpregs.rip, 8);
  area.writeBigUInt64LE(fpregs.rdp, 16);
  area.writeUInt32LE(fpregs.mxcsr, 24);
  area.writeUInt32LE(fpregs.mxcsr_mask, 28);
  u32s(fpregs.st_space.slice(0, 32)).copy(area, 32);
  u32s(fpregs.xmm_space.slice(0, 64)).copy(area, 160);
  return area;
}

/** XSTATE: what FXSAVE has no place for, by the numbers of the XSAVE components. */
export function writeXstate({ writer }: Context, { registers }: LiveThread): void {
  const { xsave } = registers.fpregs;
  if (xsave === undefined) return;
  const parts = componentsOf(xsave).filter(([, bytes]) => bytes.length > 0);
  writer.record(
    RECORDS.XSTATE,
    { xstate_bv: xsave.xstate_bv, nr_components: parts.length },
    Buffer.concat(parts.flatMap(([component, bytes]) => [u32s([component, bytes.length]), bytes])),
  );
}

function componentsOf(xsave: UserX86XsaveEntry): readonly (readonly [component: number, bytes: Buffer])[] {
  return [
    [2, u32s(xsave.ymmh_space)],
    [3, u64s(xsave.bndreg_state)],
    [4, u64s(xsave.bndcsr_state)],
    [5, u64s(xsave.opmask_reg)],
    [6, u64s(xsave.zmm_upper)],
    [7, u64s(xsave.hi16_zmm)],
    [9, u32s(xsave.pkru)],
    [11, xsave.cet === undefined ? Buffer.alloc(0) : u64s([xsave.cet.cet, xsave.cet.ssp])],
  ];
}

function u32s(numbers: readonly number[]): Buffer {
  return wordBytes("u32", numbers, "word of a register");
}

function u64s(numbers: readonly bigint[]): Buffer {
  return wordBytes("u64", numbers, "word of a register");
}
