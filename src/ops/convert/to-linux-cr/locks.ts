import type { FileLockEntry } from "../../../formats/criu/tables/file-lock.js";
import {
  LEASE_BREAKING,
  LOCK_FLOCK,
  LOCK_LEASE,
  LOCK_OFD,
  LOCK_POSIX,
} from "../../../formats/criu/tables/file-lock.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFD_LOCK } from "../../../formats/linux-cr/tables/dialect.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import {
  F_INPROGRESS,
  F_RDLCK,
  F_WRLCK,
  FL_FLOCK,
  FL_LEASE,
  FL_POSIX,
  LEASE_BREAK_TIME,
} from "../../../linux/locks.js";
import { O_ACCMODE } from "../../../linux/open-flags.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";

/** FILE_LOCK.fl_flags of each. */
const FLAGS: Readonly<Record<number, number>> = {
  [LOCK_POSIX]: FL_POSIX,
  [LOCK_FLOCK]: FL_FLOCK,
  [LOCK_OFD]: OFD_LOCK,
  [LOCK_LEASE]: FL_LEASE,
};

/** FILE_LOCKS and its FILE_LOCKs behind a FILE_DESC; nothing when the whole set has none. */
export function writeLocks(
  context: Context,
  filesId: number,
  fd: number,
  {
    table,
    file,
    open,
  }: { readonly table: number; readonly file: number; readonly open: OpenFile | undefined },
): void {
  if (!context.files.hasLocks) return;
  const locks = context.files.locks(filesId, fd).filter((lock) => isKnown(context, lock));
  context.writer.record(RECORDS.FILE_LOCKS, { fd, nr_locks: locks.length });
  for (const { flag, type, start, len } of locks) {
    const breaking = flag === LOCK_LEASE && (type & LEASE_BREAKING) !== 0;
    const target = breaking ? type & ~LEASE_BREAKING : type;
    context.writer.record(RECORDS.FILE_LOCK, {
      fl_start: start,
      fl_end: len === 0n ? OFFSET_MAX : start + len - 1n,
      fl_type: breaking ? target | F_INPROGRESS : target,
      fl_type_prev: breaking ? heldBefore(target, open) : target,
      fl_flags: FLAGS[flag] ?? 0,
      fl_rem_lease: breaking ? (context.leaseSeconds ?? LEASE_BREAK_TIME) : 0,
      owner_ref: flag === LOCK_POSIX ? table : flag === LOCK_OFD ? file : 0,
    });
  }
}

/** What a lease was before its break: criu stores what it must become, and takes the same from the open flags. */
function heldBefore(target: number, open: OpenFile | undefined): number {
  return target !== F_RDLCK && ((open?.flags ?? 0) & O_ACCMODE) === 0 ? F_RDLCK : F_WRLCK;
}

function isKnown(context: Context, { flag, type, pid, fd }: FileLockEntry): boolean {
  const isKind = FLAGS[flag] !== undefined;
  const isType =
    flag === LOCK_LEASE ? (type & ~(LEASE_BREAKING | 3)) === 0 : type === F_RDLCK || type === F_WRLCK;
  if (isKind && isType) return true;
  context.losses.add(
    `task ${pid} fd ${fd}`,
    `a lock of kind ${flag} and type ${type}`,
    "a stream holds POSIX, flock and OFD locks for reading and writing, and leases",
  );
  return false;
}
