import type { SaEntry } from "../../../formats/criu/tables/sigaction.js";
import type { SignalQueueEntry } from "../../../formats/criu/tables/siginfo.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { isSince } from "../../../formats/linux-cr/revisions.js";
import { SIGACTION, SIGINFO, SIGINFO_0ABE2FE } from "../../../formats/linux-cr/tables/signals.js";
import { SIGKILL, SIGSTOP } from "../../../linux/signals.js";
import type { StructValue } from "../../../schema/struct.js";
import { writeStruct } from "../../../schema/struct-writer.js";
import { fromCkptSiginfo } from "../siginfo.js";
import type { ToCriu } from "./context.js";

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
  if (!isSince(image.dialect.commit, "f0fdd38"))
    return {
      signals: image
        .structs(record, SIGINFO_0ABE2FE)
        .map((old) => ({ siginfo: fromCkptSiginfo(writeStruct(SIGINFO, modern(old), "little-endian")) })),
    };
  const bytes = image.bytes(record);
  const { nr_pending: count } = image.value(record, RECORDS.SIGPENDING);
  return {
    signals: Array.from({ length: count }, (_, i) => ({
      siginfo: fromCkptSiginfo(bytes.subarray(i * SIGINFO.size, (i + 1) * SIGINFO.size)),
    })),
  };
}

/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV. */
const FAULTS: ReadonlySet<number> = new Set([4, 5, 7, 8, 11]);

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
