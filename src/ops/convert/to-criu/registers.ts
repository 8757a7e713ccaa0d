import {
  type ThreadInfoX86,
  USER_X86_REGS_MODE,
  type UserDescT,
  type UserX86FpregsEntry,
  type UserX86RegsEntry,
  type UserX86XsaveEntry,
} from "../../../formats/criu/tables/core-x86.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { XSTATE_COMPONENT } from "../../../formats/linux-cr/tables/extensions-tasks.js";
import { EINTR } from "../../../linux/errno.js";
import { NSEC_PER_MSEC } from "../../../linux/time.js";
import type { ToCriu } from "./context.js";

/** Codes that stand for the kernel's own segments: null, 32-bit code and data, 64-bit code and data. */
const SEGMENTS = [0, 0x23, 0x2b, 0x33, 0x2b] as const;
const USER32_CODE = 1;
const THREAD_SEGMENT = 0x4000;
const LOCAL_SEGMENT = 0x8000;
/** First descriptor of thread-local storage in the global table of x86-64. */
const TLS_MIN = 12;
const TLS_ENTRIES = 3;
/** Requests of user mode, and the bit that says local table. */
const RPL = 3;
const TABLE_LOCAL = 4;

/** Registers of a thread and what the kernel keeps beside them. `label` is what messages call it. */
export function registersOf(context: ToCriu, task: Part, label: string): ThreadInfoX86 {
  const { reader } = context;
  const { clear_child_tid: clearTid = 0n } = reader.get(task, RECORDS.TASK).value;
  tellInterrupted(context, task, label);
  return {
    clear_tid_addr: clearTid,
    gpregs: generalRegisters(context, task),
    fpregs: floatingPoint(context, task, label),
    tls: threadSegments(context, task),
  };
}

function generalRegisters({ reader }: ToCriu, task: Part): UserX86RegsEntry {
  const cpu = reader.get(task, RECORDS.CPU).value as Cpu;
  return {
    ...{ r15: cpu.r15, r14: cpu.r14, r13: cpu.r13, r12: cpu.r12, bp: cpu.bp, bx: cpu.bx, r11: cpu.r11 },
    ...{ r10: cpu.r10, r9: cpu.r9, r8: cpu.r8, cx: cpu.cx, dx: cpu.dx, si: cpu.si, di: cpu.di },
    ...{ orig_ax: cpu.orig_ax, flags: cpu.flags, sp: cpu.sp, fs_base: cpu.fs, gs_base: cpu.gs },
    ...afterSystemCall(cpu),
    cs: selector(cpu.cs),
    ss: selector(cpu.ss),
    ds: selector(cpu.ds),
    es: selector(cpu.es),
    fs: selector(cpu.fsindex),
    gs: selector(cpu.gsindex),
    mode: USER_X86_REGS_MODE.values.get(cpu.cs === USER32_CODE ? "COMPAT" : "NATIVE") as number,
  };
}

type Register =
  | (
      | "r15"
      | "r14"
      | "r13"
      | "r12"
      | "bp"
      | "bx"
      | "r11"
      | "r10"
      | "r9"
      | "r8"
      | "ax"
      | "cx"
      | "dx"
      | "si"
      | "di"
    )
  | ("orig_ax" | "ip" | "sp" | "flags" | "fs" | "gs");

/** CPU of x86, where all layouts have these. */
type Cpu = Readonly<Record<Register, bigint>> &
  Readonly<Record<"fsindex" | "gsindex" | "cs" | "ss" | "ds" | "es", number>>;

/** What a system call returns that is to be called again: the kernel's own numbers, which no program sees. */
const RESTARTS: ReadonlySet<bigint> = new Set([512n, 513n, 514n]);
const RESTART_BY_BLOCK = 516n;
const SYSCALL_BYTES = 2n;

/**
 * A task that was stopped inside a system call returns from it as criu's own dumps have it: it is called again, or, when
 * only the kernel knows how to go on with it, ends with EINTR.
 */
function afterSystemCall({ ax, ip, orig_ax }: Cpu): Pick<UserX86RegsEntry, "ax" | "ip"> {
  if (BigInt.asIntN(64, orig_ax) < 0n) return { ax, ip };
  const code = -BigInt.asIntN(64, ax);
  if (RESTARTS.has(code)) return { ax: orig_ax, ip: ip - SYSCALL_BYTES };
  return { ax: code === RESTART_BY_BLOCK ? BigInt.asUintN(64, -BigInt(EINTR)) : ax, ip };
}

/** RESTART_BLOCK.function_type: there is none. */
const NO_CALL = 1n;

function tellInterrupted({ reader, losses }: ToCriu, task: Part, label: string): void {
  const { value: block } = reader.get(task, RECORDS.RESTART_BLOCK);
  if (block.function_type === NO_CALL) return;
  losses.add(
    label,
    `that its system call goes on for the ${block.arg_4 / NSEC_PER_MSEC} ms it has left`,
    "a set has no place for it: criu lets such a call end with EINTR",
  );
}

function selector(code: number): bigint {
  if ((code & LOCAL_SEGMENT) !== 0) return BigInt(((code & ~LOCAL_SEGMENT) << 3) | TABLE_LOCAL | RPL);
  if ((code & THREAD_SEGMENT) !== 0) return BigInt(((TLS_MIN + (code & ~THREAD_SEGMENT)) << 3) | RPL);
  return BigInt(SEGMENTS[code] ?? 0);
}

const FXSAVE_BYTES = 512;
const CONTROL_WORD = 0x37f;
const MXCSR = 0x1f80;

function floatingPoint(context: ToCriu, task: Part, label: string): UserX86FpregsEntry {
  const { reader } = context;
  const index = reader.index(task, RECORDS.CPU_FPU);
  const stored = index === undefined ? undefined : reader.image.bytes(index);
  const area = stored !== undefined && stored.length >= FXSAVE_BYTES ? stored : initialArea();
  const xsave = extendedState(context, task, label, area);
  return {
    cwd: area.readUInt16LE(0),
    swd: area.readUInt16LE(2),
    twd: area.readUInt16LE(4),
    fop: area.readUInt16LE(6),
    rip: area.readBigUInt64LE(8),
    rdp: area.readBigUInt64LE(16),
    mxcsr: area.readUInt32LE(24),
    mxcsr_mask: area.readUInt32LE(28),
    st_space: words(area.subarray(32, 160)),
    xmm_space: words(area.subarray(160, 416)),
    padding: [],
    ...(xsave === undefined ? {} : { xsave }),
  };
}

/** What a thread has that has not used floating point yet. */
function initialArea(): Buffer {
  const area = Buffer.alloc(FXSAVE_BYTES);
  area.writeUInt16LE(CONTROL_WORD, 0);
  area.writeUInt32LE(MXCSR, 24);
  return area;
}

const YMM = 2;
const XSAVE_HEADER = FXSAVE_BYTES;
const YMM_AT = 576;
const YMM_BYTES = 256;

/** Components beyond FXSAVE: from our XSTATE, or of the standard XSAVE area that kernels of the time stored. */
function extendedState(
  context: ToCriu,
  task: Part,
  label: string,
  area: Buffer,
): UserX86XsaveEntry | undefined {
  const { reader } = context;
  const found = reader.find(task, RECORDS.XSTATE);
  const parts = new Map<number, Buffer>();
  let inUse: bigint;
  if (found !== undefined) {
    inUse = found.value.xstate_bv;
    const bytes = reader.image.bytes(found.index);
    let at = 0;
    for (let i = 0; i < found.value.nr_components; i++) {
      const head = bytes.subarray(at, at + XSTATE_COMPONENT.size);
      const end = head.length < XSTATE_COMPONENT.size ? Number.NaN : at + head.length + head.readUInt32LE(4);
      if (!(end <= bytes.length)) throw reader.image.error(found.index, `component ${i} of it is cut off`);
      parts.set(head.readUInt32LE(0), bytes.subarray(at + head.length, end));
      at = end;
    }
  } else if (area.length >= YMM_AT + YMM_BYTES) {
    inUse = area.readBigUInt64LE(XSAVE_HEADER);
    parts.set(YMM, area.subarray(YMM_AT, YMM_AT + YMM_BYTES));
  } else return undefined;
  const unknown = [...parts.keys()].filter((component) => !KNOWN.has(component) && isInUse(inUse, component));
  if (unknown.length > 0)
    context.losses.add(
      label,
      `the processor state of XSAVE component ${unknown.join(", ")}`,
      "criu does not store it",
    );
  return xsaveEntry(
    unknown.reduce((bits, component) => bits & ~(1n << BigInt(component)), inUse),
    parts,
  );
}

function isInUse(inUse: bigint, component: number): boolean {
  return ((inUse >> BigInt(component)) & 1n) === 1n;
}

const CET = 11;
/** Components that criu stores: FXSAVE itself, AVX, MPX, AVX-512, PKRU, CET. */
const KNOWN: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 6, 7, 9, CET]);

function xsaveEntry(inUse: bigint, parts: ReadonlyMap<number, Buffer>): UserX86XsaveEntry {
  const none = Buffer.alloc(0);
  const bytes = (component: number): Buffer => parts.get(component) ?? none;
  const shadowStack = bytes(CET);
  return {
    xstate_bv: inUse,
    ymmh_space: words(bytes(YMM)),
    bndreg_state: longs(bytes(3)),
    bndcsr_state: longs(bytes(4)),
    opmask_reg: longs(bytes(5)),
    zmm_upper: longs(bytes(6)),
    hi16_zmm: longs(bytes(7)),
    pkru: words(bytes(9)),
    ...(shadowStack.length < 16
      ? {}
      : { cet: { cet: shadowStack.readBigUInt64LE(0), ssp: shadowStack.readBigUInt64LE(8) } }),
  };
}

function words(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(i * 4));
}

function longs(bytes: Buffer): bigint[] {
  return Array.from({ length: bytes.length >> 3 }, (_, i) => bytes.readBigUInt64LE(i * 8));
}

/** The segments of thread-local storage that 32-bit programs have, as set_thread_area(2) describes them. */
function threadSegments({ reader }: ToCriu, task: Part): UserDescT[] {
  const index = reader.index(task, RECORDS.THREAD);
  const bytes = index === undefined ? Buffer.alloc(0) : reader.image.bytes(index);
  return Array.from({ length: TLS_ENTRIES }, (_, i) => {
    const at = i * 8;
    const [low, high] =
      at + 8 <= bytes.length ? [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)] : [0, 0];
    return segment(TLS_MIN + i, low, high);
  });
}

/** One descriptor of the processor (Intel SDM 3A, 3.4.5), taken apart. */
function segment(entry: number, low: number, high: number): UserDescT {
  const bit = (n: number): boolean => ((high >>> n) & 1) === 1;
  const isEmpty = low === 0 && high === 0;
  return {
    entry_number: entry,
    base_addr: ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0,
    limit: (low & 0xffff) | (high & 0xf0000),
    seg_32bit: bit(22),
    contents_h: bit(11),
    contents_l: bit(10),
    read_exec_only: isEmpty || !bit(9),
    limit_in_pages: bit(23),
    seg_not_present: !bit(15),
    usable: bit(20),
  };
}
