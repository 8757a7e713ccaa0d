import type { FileLockEntry } from "../../../formats/criu/tables/file-lock.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { O_ACCMODE } from "../../../linux/open-flags.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";

/** file_lock_entry.flag. */
const POSIX = 1;
const FLOCK = 2;
const OFD = 4;
const LEASE = 8;
/** FILE_LOCK.fl_flags of each. */
const FLAGS: Readonly<Record<number, number>> = { [POSIX]: 1, [FLOCK]: 2, [OFD]: 1025, [LEASE]: 32 };

const READ = 0;
const WRITE = 1;
/** Of a lease that is being broken: in file_lock_entry.type, and in FILE_LOCK.fl_type. */
const BREAKING = 4;
const IN_PROGRESS = 16;

/**
 * Seconds that the holder of a lease that is being broken gets, lease-break-time of the kernel unless somebody changed
 * it. criu does not store how much of it was left: a restore breaks the lease anew, so the holder gets all of it.
 */
const LEASE_BREAK_TIME = 45;

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
    const breaking = flag === LEASE && (type & BREAKING) !== 0;
    const target = breaking ? type & ~BREAKING : type;
    context.writer.record(RECORDS.FILE_LOCK, {
      fl_start: start,
      fl_end: len === 0n ? OFFSET_MAX : start + len - 1n,
      fl_type: breaking ? target | IN_PROGRESS : target,
      fl_type_prev: breaking ? heldBefore(target, open) : target,
      fl_flags: FLAGS[flag] ?? 0,
      fl_rem_lease: breaking ? (context.leaseSeconds ?? LEASE_BREAK_TIME) : 0,
      owner_ref: flag === POSIX ? table : flag === OFD ? file : 0,
    });
  }
}

/** What a lease was before its break: criu stores what it must become, and takes the same from the open flags. */
function heldBefore(target: number, open: OpenFile | undefined): number {
  return target !== READ && ((open?.flags ?? 0) & O_ACCMODE) === 0 ? READ : WRITE;
}

function isKnown(context: Context, { flag, type, pid, fd }: FileLockEntry): boolean {
  const isKind = FLAGS[flag] !== undefined;
  const isType = flag === LEASE ? (type & ~(BREAKING | 3)) === 0 : type === READ || type === WRITE;
  if (isKind && isType) return true;
  context.losses.add(
    `task ${pid} fd ${fd}`,
    `a lock of kind ${flag} and type ${type}`,
    "a stream holds POSIX, flock and OFD locks for reading and writing, and leases",
  );
  return false;
}
