import { SIGINFO } from "../../formats/linux-cr/tables/signals.js";
import { SI_KERNEL, SI_SIGIO, SI_TIMER, SIGCHLD, SIGINFO_BYTES, SIGIO, SIGSYS } from "../../linux/signals.js";
import type { StructValue } from "../../schema/struct.js";
import { readStruct } from "../../schema/struct-reader.js";
import { writeStruct } from "../../schema/struct-writer.js";
/** Bytes of a ckpt_siginfo, as SIGPENDING holds it. */
export const CKPT_SIGINFO_BYTES = 88;

const ENDIAN = "little-endian";
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV. */
export const FAULTS: ReadonlySet<number> = new Set([4, 5, 7, 8, 11]);

/** Which member of the union in siginfo_t a signal uses, as the kernel decides it from number and code. */
type Layout = "sender" | "timer" | "poll" | "fault" | "child" | "call";

function layoutOf(signo: number, code: number): Layout {
  if (code > 0 && code < SI_KERNEL) {
    if (FAULTS.has(signo)) return "fault";
    if (signo === SIGCHLD) return "child";
    if (signo === SIGIO) return "poll";
    if (signo === SIGSYS) return "call";
    return "sender";
  }
  if (code === SI_TIMER) return "timer";
  return code === SI_SIGIO ? "poll" : "sender";
}

type Fields = StructValue<typeof SIGINFO>;
type Word = "s32" | "u32" | "s64" | "u64";
/** Where a field of ckpt_siginfo stands in siginfo_t (x86-64), and as what. */
type Places = readonly (readonly [field: keyof Fields, offset: number, word: Word])[];

const HEAD: Places = [
  ["csi_signo", 0, "u32"],
  ["csi_errno", 4, "s32"],
  ["csi_code", 8, "s32"],
];

const PLACES: Readonly<Record<Layout, Places>> = {
  sender: [
    ["csi_pid", 16, "u32"],
    ["csi_uid", 20, "u32"],
    ["csi_ptr", 24, "u64"],
  ],
  timer: [
    ["csi_tid", 16, "u32"],
    ["csi_overrun", 20, "u32"],
    ["csi_ptr", 24, "u64"],
    ["csi_sys_private", 32, "s32"],
  ],
  poll: [
    ["csi_band", 16, "u32"],
    ["csi_fd", 24, "s32"],
  ],
  fault: [
    ["csi_addr", 16, "u64"],
    ["csi_trapno", 24, "u32"],
  ],
  child: [
    ["csi_pid", 16, "u32"],
    ["csi_uid", 20, "u32"],
    ["csi_status", 24, "s32"],
    ["csi_utime", 32, "u64"],
    ["csi_stime", 40, "u64"],
  ],
  call: [["csi_addr", 16, "u64"]],
};

/** A queued signal as a ckpt_siginfo. `isWhole` is false when siginfo_t says something that has no field. */
export function toCkptSiginfo(siginfo: Buffer): { readonly bytes: Buffer; readonly isWhole: boolean } {
  const raw = Buffer.alloc(SIGINFO_BYTES);
  siginfo.copy(raw);
  const fields = readStruct(SIGINFO, Buffer.alloc(CKPT_SIGINFO_BYTES), ENDIAN);
  const layout = layoutOf(raw.readUInt32LE(0), raw.readInt32LE(8));
  for (const place of [...HEAD, ...PLACES[layout]]) setField(fields, place, raw);
  if (layout === "sender" || layout === "timer") fields.csi_int = raw.readInt32LE(24);
  const bytes = writeStruct(SIGINFO, fields, ENDIAN);
  return { bytes, isWhole: siginfo.length <= SIGINFO_BYTES && fromCkptSiginfo(bytes).equals(raw) };
}

/** The siginfo_t that CRIU stores for a ckpt_siginfo. Errors: FormatError for fewer than 88 bytes. */
export function fromCkptSiginfo(bytes: Buffer): Buffer {
  return siginfoOf(readStruct(SIGINFO, bytes, ENDIAN));
}

/** The siginfo_t of x86-64 for the fields of a ckpt_siginfo. */
export function siginfoOf(fields: Fields): Buffer {
  const raw = Buffer.alloc(SIGINFO_BYTES);
  const layout = layoutOf(fields.csi_signo, fields.csi_code);
  for (const [field, offset, word] of [...HEAD, ...PLACES[layout]]) {
    const value = fields[field] as number | bigint;
    if (word === "u64" || word === "s64") raw.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), offset);
    else raw.writeUInt32LE(Number(value) >>> 0, offset);
  }
  // Writers fill in one of the two: the number is the low half of the pointer.
  if ((layout === "sender" || layout === "timer") && fields.csi_ptr === 0n)
    raw.writeInt32LE(fields.csi_int, 24);
  return raw;
}

function setField(fields: Fields, [field, offset, word]: Places[number], raw: Buffer): void {
  const value = {
    s32: () => raw.readInt32LE(offset),
    u32: () => raw.readUInt32LE(offset),
    s64: () => raw.readBigInt64LE(offset),
    u64: () => raw.readBigUInt64LE(offset),
  }[word]();
  Object.assign(fields, { [field]: value });
}
