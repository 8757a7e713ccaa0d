import type { SaEntry } from "../../../formats/criu/tables/sigaction.js";
import type { SignalQueueEntry } from "../../../formats/criu/tables/siginfo.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { isSince } from "../../../formats/linux-cr/revisions.js";
import { SIGACTION, SIGINFO, SIGINFO_0ABE2FE } from "../../../formats/linux-cr/tables/signals.js";
import type { StructValue } from "../../../schema/struct.js";
import type { ToCriu } from "./context.js";

const SIGKILL = 9;
const SIGCHLD = 17;
const SIGSTOP = 19;
const SIGIO = 29;
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV. */
const FAULTS: ReadonlySet<number> = new Set([4, 5, 7, 8, 11]);
const SI_TIMER = -2;
const SI_SIGIO = -5;
const SI_KERNEL = 0x80;

/** The 62 signals that have an action, in order. */
export function signalActions({ reader }: ToCriu, handlers: Part): SaEntry[] {
  const { index } = reader.get(handlers, RECORDS.SIGHAND);
  return reader.image
    .structs(index, SIGACTION)
    .map(({ _sa_handler, sa_flags, sa_restorer, sa_mask }) => ({
      sigaction: _sa_handler,
      flags: sa_flags,
      restorer: sa_restorer,
      mask: sa_mask.readBigUInt64LE(),
      compat_sigaction: false,
    }))
    .filter((_, i) => i + 1 !== SIGKILL && i + 1 !== SIGSTOP);
}

/** The signals of a SIGPENDING as the kernel's siginfo_t. */
export function signalQueue({ reader }: ToCriu, record: number): SignalQueueEntry {
  const { image } = reader;
  const isNew = isSince(image.dialect.commit, "f0fdd38");
  const infos = isNew ? image.structs(record, SIGINFO) : image.structs(record, SIGINFO_0ABE2FE).map(modern);
  return { signals: infos.map((info) => ({ siginfo: siginfo(info) })) };
}

type Siginfo = StructValue<typeof SIGINFO>;

const SIGINFO_BYTES = 128;

/** siginfo_t of x86-64: three words, then by sort of signal. */
function siginfo(info: Siginfo): Buffer {
  const bytes = Buffer.alloc(SIGINFO_BYTES);
  bytes.writeUInt32LE(info.csi_signo, 0);
  bytes.writeInt32LE(info.csi_errno, 4);
  bytes.writeInt32LE(info.csi_code, 8);
  switch (sortOf(info)) {
    case "kernel":
      break;
    case "fault":
      bytes.writeBigUInt64LE(info.csi_addr, 16);
      bytes.writeUInt32LE(info.csi_trapno, 24);
      break;
    case "poll":
      bytes.writeBigInt64LE(BigInt(info.csi_band), 16);
      bytes.writeInt32LE(info.csi_fd, 24);
      break;
    case "timer":
      bytes.writeUInt32LE(info.csi_tid, 16);
      bytes.writeUInt32LE(info.csi_overrun, 20);
      bytes.writeBigUInt64LE(info.csi_ptr, 24);
      bytes.writeInt32LE(info.csi_sys_private, 32);
      break;
    case "child":
      bytes.writeUInt32LE(info.csi_pid, 16);
      bytes.writeUInt32LE(info.csi_uid, 20);
      bytes.writeInt32LE(info.csi_status, 24);
      bytes.writeBigUInt64LE(info.csi_utime, 32);
      bytes.writeBigUInt64LE(info.csi_stime, 40);
      break;
    case "sender":
      bytes.writeUInt32LE(info.csi_pid, 16);
      bytes.writeUInt32LE(info.csi_uid, 20);
      bytes.writeBigUInt64LE(info.csi_ptr, 24);
  }
  return bytes;
}

/** Which member of the union in siginfo_t is in use, sigaction(2). */
function sortOf({
  csi_signo: signal,
  csi_code: code,
}: Pick<Siginfo, "csi_signo" | "csi_code">): "kernel" | "fault" | "poll" | "timer" | "child" | "sender" {
  if (code === SI_KERNEL) return "kernel";
  if (code === SI_TIMER) return "timer";
  if (code === SI_SIGIO) return "poll";
  if (code <= 0) return "sender";
  if (FAULTS.has(signal)) return "fault";
  if (signal === SIGCHLD) return "child";
  return signal === SIGIO ? "poll" : "sender";
}

/** The older siginfo has fewer fields, used by sort of signal. */
function modern(old: StructValue<typeof SIGINFO_0ABE2FE>): Siginfo {
  const code = old.code | 0;
  const sort = sortOf({ csi_signo: old.signo, csi_code: code });
  const isPoll = sort === "poll";
  const isTimer = sort === "timer";
  return {
    csi_signo: old.signo,
    csi_errno: old._errno | 0,
    csi_code: code,
    csi_pid: old.pid,
    csi_uid: old.uid >>> 0,
    csi_fd: isPoll ? old.sigval_int | 0 : 0,
    csi_tid: isTimer ? old.pid : 0,
    csi_band: isPoll ? old.pid : 0,
    csi_overrun: isTimer ? old.uid >>> 0 : 0,
    csi_trapno: sort === "fault" ? old.sigval_int : 0,
    csi_status: sort === "child" ? old.sigval_int | 0 : 0,
    csi_int: old.sigval_int | 0,
    csi_ptr: isTimer ? BigInt(old.sigval_int) : old.sigval_ptr,
    csi_utime: old.utime,
    csi_stime: old.stime,
    csi_addr: sort === "fault" ? old.sigval_ptr : 0n,
    csi_sys_private: isTimer ? Number(BigInt.asIntN(32, old.utime)) : 0,
  };
}
