import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { isSince } from "../../formats/linux-cr/revisions.js";
import { SIGACTION, SIGINFO, SIGINFO_0ABE2FE } from "../../formats/linux-cr/tables/signals.js";
import { NSIG } from "../../linux/signals.js";
import type { StructValue } from "../../schema/struct.js";
import { writeStruct } from "../../schema/struct-writer.js";
import { CATCHABLE, type PendingSignal, type SignalAction } from "../signals.js";
import type { StreamReader } from "./reader.js";
import { FAULTS, siginfoOf, toCkptSiginfo } from "./siginfo.js";

/** Bit n-1 is signal n: the kernel's array of longs, in the byte order of the machine. */
export function decodeSignalSet(image: LinuxCrImage, set: Buffer): bigint {
  if (image.byteOrder === "little-endian") return set.readBigUInt64LE();
  if (image.dialect.arch.wordBytes === 8) return set.readBigUInt64BE();
  return (BigInt(set.readUInt32BE(4)) << 32n) | BigInt(set.readUInt32BE(0));
}

/** As it lies in the memory of x86: signal 1 is bit 0 of byte 0. */
export function encodeSignalSet(mask: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, mask));
  return bytes;
}

/** SIGHAND has an entry for each signal, also for those that have no action. */
export function decodeActions(reader: StreamReader, handlers: Part): SignalAction[] {
  const { image } = reader;
  const entries = image.structs(reader.get(handlers, RECORDS.SIGHAND).index, SIGACTION);
  return CATCHABLE.flatMap((signal) => {
    const entry = entries[signal - 1];
    if (entry === undefined) return [];
    const { _sa_handler: handler, sa_flags: flags, sa_restorer: restorer, sa_mask } = entry;
    return { signal, handler, flags, mask: decodeSignalSet(image, sa_mask), restorer };
  });
}

/** The entries of SIGHAND. */
export function encodeActions(actions: readonly SignalAction[]): Buffer {
  const entries = Buffer.alloc(NSIG * SIGACTION.size);
  for (const { signal, handler, flags, mask, restorer } of actions)
    writeStruct(
      SIGACTION,
      { _sa_handler: handler, sa_flags: flags, sa_restorer: restorer, sa_mask: encodeSignalSet(mask) },
      "little-endian",
    ).copy(entries, (signal - 1) * SIGACTION.size);
  return entries;
}

/** The signals of a SIGPENDING. */
export function decodeQueue(reader: StreamReader, record: number): PendingSignal[] {
  const { image } = reader;
  const infos = isSince(image.dialect.commit, "f0fdd38")
    ? image.structs(record, SIGINFO)
    : image.structs(record, SIGINFO_0ABE2FE).map(modern);
  return infos.map((info, i) => ({
    signal: info.csi_signo,
    code: info.csi_code,
    siginfo: siginfoOf(info),
    origin: { ...reader.origin(record), field: `siginfo[${i}]` },
  }));
}

/** The fields and the payload of SIGPENDING. `cut` has the signals of whose siginfo_t it holds a part only. */
export function encodeQueue(queue: readonly PendingSignal[]): {
  readonly fields: { readonly signal: Buffer };
  readonly payload: Buffer;
  readonly cut: readonly number[];
} {
  let set = 0n;
  const cut: number[] = [];
  const infos = queue.map(({ siginfo }) => {
    const { bytes, isWhole } = toCkptSiginfo(siginfo);
    const signal = bytes.readUInt32LE(0);
    if (signal >= 1 && signal <= NSIG) set |= 1n << BigInt(signal - 1);
    if (!isWhole) cut.push(signal);
    return bytes;
  });
  return { fields: { signal: encodeSignalSet(set) }, payload: Buffer.concat(infos), cut };
}

/** The older siginfo has fewer fields, used by sort of signal; only one of the new ones with the same bits is looked at. */
function modern(old: StructValue<typeof SIGINFO_0ABE2FE>): StructValue<typeof SIGINFO> {
  const code = old.code | 0;
  const isFault = code > 0 && FAULTS.has(old.signo);
  return {
    csi_signo: old.signo,
    csi_errno: old._errno | 0,
    csi_code: code,
    csi_pid: old.pid,
    csi_uid: old.uid >>> 0,
    csi_fd: old.sigval_int | 0,
    csi_tid: old.pid,
    csi_band: old.pid,
    csi_overrun: old.uid >>> 0,
    csi_trapno: old.sigval_int,
    csi_status: old.sigval_int | 0,
    csi_int: old.sigval_int | 0,
    csi_ptr: isFault ? 0n : old.sigval_ptr,
    csi_utime: old.utime,
    csi_stime: old.stime,
    csi_addr: old.sigval_ptr,
    csi_sys_private: Number(BigInt.asIntN(32, old.utime)),
  };
}
