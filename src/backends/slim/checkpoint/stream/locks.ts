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
const END_OF_FILE = 0x7fff_ffff_ffff_ffffn;

/** FILE_LOCKS and a FILE_LOCK for each lock that the process has by this descriptor. */
export function writeLocks(context: CheckpointContext, pid: number, fd: number, file: number): void {
  const { writer } = context;
  const locks = locksOf(readFdInfo(pid, fd)).filter(
    // Locks of others on the same file are not ours; those of open files have no process.
    ({ kind, mode, pid: owner }) => mode !== "BREAKER" && (kind !== "POSIX" || owner === pid),
  );
  writer.record(RECORDS.FILE_LOCKS, { fd, nr_locks: locks.length });
  for (const lock of locks) writer.record(RECORDS.FILE_LOCK, lockFields(context, lock, file));
}

function lockFields(
  context: CheckpointContext,
  { kind, mode, type, start, end }: LockLine,
  file: number,
): Readonly<Record<string, number | bigint>> {
  const breaking = kind === "LEASE" && mode === "BREAKING";
  const held = TYPES[type];
  return {
    fl_start: start,
    fl_end: end ?? END_OF_FILE,
    fl_type: breaking ? held | IN_PROGRESS : held,
    fl_type_prev: held,
    fl_flags: FLAGS[kind],
    fl_rem_lease: breaking ? leaseBreakTime() : 0,
    owner_ref: kind === "POSIX" ? context.tableRef : kind === "OFDLCK" ? file : 0,
  };
}

/** The kernel tells nobody when a break falls due; at most this many seconds are left. */
function leaseBreakTime(): number {
  return Number(fs.readFileSync("/proc/sys/fs/lease-break-time", "latin1"));
}
