/** Locks and leases of open files. The breaks of leases belong here, the open files themselves to files/. */

import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFD_LOCK } from "../../../formats/linux-cr/tables/dialect.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { F_INPROGRESS, FL_FLOCK, FL_LEASE, FL_POSIX } from "../../../linux/locks.js";
import { O_ACCMODE } from "../../../linux/open-flags.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { HeldDescriptor } from "../files/open-files.js";
import { readFdInfo } from "../proc/fdinfo.js";
import { type LockLine, locksOf } from "../proc/locks.js";

const FLAGS = { POSIX: FL_POSIX, FLOCK: FL_FLOCK, OFDLCK: OFD_LOCK, LEASE: FL_LEASE } as const;
const TYPES = { READ: 0, WRITE: 1, UNLCK: 2 } as const;

/** FILE_LOCKS and a FILE_LOCK for each lock that the process has by this descriptor. */
export function writeLocks(
  context: CheckpointContext,
  pid: number,
  { fd, file }: HeldDescriptor,
  fileRef: number,
): void {
  const { writer, leases } = context;
  const info = readFdInfo(pid, fd);
  const isReadOnly = (info.flags & O_ACCMODE) === 0;
  // The kernel shows the locks of this descriptor alone, whichever process took them: fs/locks.c, show_fd_locks().
  const locks = locksOf(info);
  writer.record(RECORDS.FILE_LOCKS, { fd, nr_locks: locks.length });
  for (const lock of locks)
    writer.record(RECORDS.FILE_LOCK, {
      ...lockFields(lock, isReadOnly),
      fl_rem_lease: lock.mode === "BREAKING" ? leases.remaining(file.stat) : 0,
      owner_ref: lock.kind === "POSIX" ? context.tableRef : lock.kind === "OFDLCK" ? fileRef : 0,
    });
}

function lockFields(
  { kind, mode, type, start, end }: LockLine,
  isReadOnly: boolean,
): Readonly<Record<string, number | bigint>> {
  const breaking = kind === "LEASE" && mode === "BREAKING";
  const now = TYPES[type];
  return {
    fl_start: start,
    fl_end: end ?? OFFSET_MAX,
    fl_type: breaking ? now | F_INPROGRESS : now,
    fl_type_prev: breaking ? heldBefore(now, isReadOnly) : now,
    fl_flags: FLAGS[kind],
  };
}

/** The kernel shows what a lease becomes. It was more; only files opened for reading alone can have a read lease. */
function heldBefore(now: number, isReadOnly: boolean): number {
  return now === TYPES.UNLCK && isReadOnly ? TYPES.READ : TYPES.WRITE;
}
