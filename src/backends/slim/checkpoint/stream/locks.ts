import fs from "node:fs";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { type LockLine, locksOf, readFdInfo } from "../../proc/fdinfo.js";
import type { CheckpointContext } from "./context.js";

const POSIX = 1;
const FLOCK = 2;
const LEASE = 32;
const OFD = 1025;
const FLAGS = { POSIX, FLOCK, OFDLCK: OFD, LEASE } as const;
const TYPES = { READ: 0, WRITE: 1, UNLCK: 2 } as const;
const IN_PROGRESS = 16;
const O_ACCMODE = 3;
const END_OF_FILE = 0x7fff_ffff_ffff_ffffn;

/** FILE_LOCKS and a FILE_LOCK for each lock that the process has by this descriptor. */
export function writeLocks(context: CheckpointContext, pid: number, fd: number, file: number): void {
  const { writer } = context;
  const info = readFdInfo(pid, fd);
  const isReadOnly = (info.flags & O_ACCMODE) === 0;
  const locks = locksOf(info).filter(
    // Locks of others on the same file are not ours; those of open files have no process.
    ({ kind, mode, pid: owner }) => mode !== "BREAKER" && (kind !== "POSIX" || owner === pid),
  );
  writer.record(RECORDS.FILE_LOCKS, { fd, nr_locks: locks.length });
  for (const lock of locks) writer.record(RECORDS.FILE_LOCK, lockFields(context, lock, file, isReadOnly));
}

function lockFields(
  context: CheckpointContext,
  { kind, mode, type, start, end }: LockLine,
  file: number,
  isReadOnly: boolean,
): Readonly<Record<string, number | bigint>> {
  const breaking = kind === "LEASE" && mode === "BREAKING";
  const now = TYPES[type];
  return {
    fl_start: start,
    fl_end: end ?? END_OF_FILE,
    fl_type: breaking ? now | IN_PROGRESS : now,
    fl_type_prev: breaking ? heldBefore(now, isReadOnly) : now,
    fl_flags: FLAGS[kind],
    fl_rem_lease: breaking ? leaseBreakTime() : 0,
    owner_ref: kind === "POSIX" ? context.tableRef : kind === "OFDLCK" ? file : 0,
  };
}

/** The kernel shows what a lease becomes. It was more; only files opened for reading alone can have a read lease. */
function heldBefore(now: number, isReadOnly: boolean): number {
  return now === TYPES.UNLCK && isReadOnly ? TYPES.READ : TYPES.WRITE;
}

/** The kernel tells nobody when a break falls due; at most this many seconds are left. */
function leaseBreakTime(): number {
  return Number(fs.readFileSync("/proc/sys/fs/lease-break-time", "latin1"));
}
