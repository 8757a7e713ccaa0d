import type { CoreEntry } from "../../formats/criu/tables/core.js";
import {
  type ThreadInfoX86,
  USER_X86_REGS_MODE,
  type UserDescT,
  type UserX86FpregsEntry,
  type UserX86RegsEntry,
  type UserX86XsaveEntry,
} from "../../formats/criu/tables/core-x86.js";
import { wordBytes } from "../../io/words.js";
import { UNKNOWN } from "../../schema/message.js";
import { type ExtendedState, FXSAVE_BYTES, registerNames, TLS_MIN, type X86State } from "../x86-registers.js";

/** What stands among the general registers and is none: of x86 the mode, of all the fields that no table knows. */
const NO_REGISTERS: ReadonlySet<string> = new Set(["mode", UNKNOWN]);
const COMPAT = USER_X86_REGS_MODE.values.get("COMPAT") as number;
const NATIVE = USER_X86_REGS_MODE.values.get("NATIVE") as number;

/** Registers by name, of whichever architecture the core image carries. */
export function registersOf(core: CoreEntry | undefined): ReadonlyMap<string, bigint> {
  if (core?.thread_info !== undefined) return registerNames(decodeRegisters(core.thread_info));
  return integersOf(infoOf(core).gpregs ?? {});
}

/** What else is stored of the registers of architectures other than x86, by set and name. */
export function otherRegistersOf(core: CoreEntry | undefined): ReadonlyMap<string, bigint> {
  const { gpregs, clear_tid_addr, ...sets } = infoOf(core);
  return integersOf(sets);
}

interface ThreadInfo {
  readonly gpregs?: object;
  readonly clear_tid_addr?: bigint;
}

function infoOf(core: CoreEntry | undefined): ThreadInfo {
  const { ti_aarch64, ti_arm, ti_ppc64, ti_s390, ti_mips, ti_loongarch64, ti_riscv64 } = core ?? {};
  return ti_aarch64 ?? ti_arm ?? ti_ppc64 ?? ti_s390 ?? ti_mips ?? ti_loongarch64 ?? ti_riscv64 ?? {};
}

/** Integers by name; those of an array have their number behind, those of a message its name and a dot before. */
function integersOf(fields: object, prefix = "", integers = new Map<string, bigint>()): Map<string, bigint> {
  for (const [name, value] of Object.entries(fields)) {
    if (NO_REGISTERS.has(name)) continue;
    if (typeof value === "bigint" || typeof value === "number") integers.set(prefix + name, BigInt(value));
    else if (Array.isArray(value))
      for (const [i, item] of value.entries()) integers.set(`${prefix}${name}${i}`, BigInt(item));
    else if (typeof value === "object") integersOf(value, `${prefix}${name}.`, integers);
  }
  return integers;
}

/** The registers of a core image of x86. */
export function decodeRegisters({ gpregs, fpregs, tls }: ThreadInfoX86): X86State {
  return {
    general: integersOf(gpregs),
    isCompat: gpregs.mode === COMPAT,
    extended: decodeExtended(fpregs),
    descriptors: tls.map(encodeDescriptor),
  };
}

/** The registers of a thread_info_x86. */
export function encodeRegisters(state: X86State): Omit<ThreadInfoX86, "clear_tid_addr"> {
  const { general, isCompat, extended, descriptors } = state;
  const mode = isCompat ? COMPAT : NATIVE;
  return {
    gpregs: { ...(Object.fromEntries(general) as unknown as UserX86RegsEntry), mode },
    fpregs: encodeExtended(extended),
    tls: descriptors.map(decodeDescriptor),
  };
}

/** The components that criu stores: those of FXSAVE, AVX, MPX, AVX-512, PKRU, CET. */
export const STORED_COMPONENTS: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 6, 7, 9, 11]);

function decodeExtended(fpregs: UserX86FpregsEntry): ExtendedState {
  const fxsave = Buffer.alloc(FXSAVE_BYTES);
  fxsave.writeUInt16LE(fpregs.cwd & 0xffff, 0);
  fxsave.writeUInt16LE(fpregs.swd & 0xffff, 2);
  fxsave.writeUInt16LE(fpregs.twd & 0xffff, 4);
  fxsave.writeUInt16LE(fpregs.fop & 0xffff, 6);
  fxsave.writeBigUInt64LE(fpregs.rip, 8);
  fxsave.writeBigUInt64LE(fpregs.rdp, 16);
  fxsave.writeUInt32LE(fpregs.mxcsr, 24);
  fxsave.writeUInt32LE(fpregs.mxcsr_mask, 28);
  words32(fpregs.st_space.slice(0, 32)).copy(fxsave, 32);
  words32(fpregs.xmm_space.slice(0, 64)).copy(fxsave, 160);
  const { xsave } = fpregs;
  const components = xsave === undefined ? [] : componentsOf(xsave).filter(([, bytes]) => bytes.length > 0);
  return { fxsave, inUse: xsave?.xstate_bv, components: new Map(components) };
}

function componentsOf(xsave: UserX86XsaveEntry): readonly (readonly [component: number, bytes: Buffer])[] {
  return [
    [2, words32(xsave.ymmh_space)],
    [3, words64(xsave.bndreg_state)],
    [4, words64(xsave.bndcsr_state)],
    [5, words64(xsave.opmask_reg)],
    [6, words64(xsave.zmm_upper)],
    [7, words64(xsave.hi16_zmm)],
    [9, words32(xsave.pkru)],
    [11, xsave.cet === undefined ? Buffer.alloc(0) : words64([xsave.cet.cet, xsave.cet.ssp])],
  ];
}

function encodeExtended({ fxsave, inUse, components }: ExtendedState): UserX86FpregsEntry {
  return {
    cwd: fxsave.readUInt16LE(0),
    swd: fxsave.readUInt16LE(2),
    twd: fxsave.readUInt16LE(4),
    fop: fxsave.readUInt16LE(6),
    rip: fxsave.readBigUInt64LE(8),
    rdp: fxsave.readBigUInt64LE(16),
    mxcsr: fxsave.readUInt32LE(24),
    mxcsr_mask: fxsave.readUInt32LE(28),
    st_space: u32s(fxsave.subarray(32, 160)),
    xmm_space: u32s(fxsave.subarray(160, 416)),
    padding: [],
    ...(inUse === undefined ? {} : { xsave: encodeXsave(inUse, components) }),
  };
}

function encodeXsave(inUse: bigint, components: ReadonlyMap<number, Buffer>): UserX86XsaveEntry {
  const none = Buffer.alloc(0);
  const bytes = (component: number): Buffer => components.get(component) ?? none;
  const shadowStack = bytes(11);
  return {
    xstate_bv: inUse,
    ymmh_space: u32s(bytes(2)),
    bndreg_state: u64s(bytes(3)),
    bndcsr_state: u64s(bytes(4)),
    opmask_reg: u64s(bytes(5)),
    zmm_upper: u64s(bytes(6)),
    hi16_zmm: u64s(bytes(7)),
    pkru: u32s(bytes(9)),
    ...(shadowStack.length < 16
      ? {}
      : { cet: { cet: shadowStack.readBigUInt64LE(0), ssp: shadowStack.readBigUInt64LE(8) } }),
  };
}

const words32 = (words: readonly number[]): Buffer => wordBytes("u32", words, "word of a register");
const words64 = (words: readonly bigint[]): Buffer => wordBytes("u64", words, "word of a register");

function u32s(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(i * 4));
}

function u64s(bytes: Buffer): bigint[] {
  return Array.from({ length: bytes.length >> 3 }, (_, i) => bytes.readBigUInt64LE(i * 8));
}

/** Bits of a descriptor (Intel SDM 3A, 3.4.5) and the members of struct user_desc that they are. */
const DESCRIPTOR_BITS = [
  ["contents_l", 42n],
  ["contents_h", 43n],
  ["usable", 52n],
  ["seg_32bit", 54n],
  ["limit_in_pages", 55n],
] as const satisfies readonly (readonly [keyof UserDescT, bigint])[];
const ACCESSED = 1n << 40n;
const WRITABLE = 41n;
/** Code or data, of user level. */
const OF_PROGRAM = (1n << 44n) | (3n << 45n);
const PRESENT = 47n;

function encodeDescriptor(segment: UserDescT): bigint {
  const { base_addr: base, limit } = segment;
  const bit = (is: boolean, at: bigint): bigint => (is ? 1n << at : 0n);
  if (base === 0 && limit === 0 && segment.seg_not_present) return 0n;
  return (
    BigInt(limit & 0xffff) |
    (BigInt(base & 0xffffff) << 16n) |
    (BigInt((limit >>> 16) & 0xf) << 48n) |
    (BigInt(base >>> 24) << 56n) |
    (ACCESSED | OF_PROGRAM) |
    bit(!segment.read_exec_only, WRITABLE) |
    bit(!segment.seg_not_present, PRESENT) |
    DESCRIPTOR_BITS.reduce((bits, [name, at]) => bits | bit(segment[name], at), 0n)
  );
}

function decodeDescriptor(descriptor: bigint, nth: number): UserDescT {
  const bits = (at: bigint, count: number): number => Number(BigInt.asUintN(count, descriptor >> at));
  const bit = (at: bigint): boolean => bits(at, 1) === 1;
  const named = DESCRIPTOR_BITS.map(([name, at]) => [name, bit(at)] as const);
  return {
    entry_number: TLS_MIN + nth,
    base_addr: bits(16n, 24) + bits(56n, 8) * 0x100_0000,
    limit: bits(0n, 16) | (bits(48n, 4) << 16),
    ...(Object.fromEntries(named) as Record<(typeof DESCRIPTOR_BITS)[number][0], boolean>),
    read_exec_only: descriptor === 0n || !bit(WRITABLE),
    seg_not_present: !bit(PRESENT),
  };
}
