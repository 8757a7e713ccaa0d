import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import {
  F_INPROGRESS,
  FL_FLOCK,
  FL_LEASE,
  FL_OFDLCK,
  FL_POSIX,
  LEASE_BREAK_TIME,
} from "../../linux/locks.js";
import { O_ACCMODE, O_RDONLY } from "../../linux/open-flags.js";
import { NSEC_PER_SEC } from "../../linux/time.js";
import { FCNTL_TYPES, type Lock, type LockKind, type LockType } from "../lock.js";
import { NumberNames } from "../number-names.js";
import type { FileTable, OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";
import type { StreamReader } from "./reader.js";

type FileLock = RecordValue<typeof RECORDS.FILE_LOCK>;

/** FILE_LOCK.fl_flags */
const KINDS = new NumberNames<LockKind>([
  [FL_POSIX, "posix"],
  [FL_FLOCK, "flock"],
  [FL_LEASE, "lease"],
  [FL_POSIX | FL_OFDLCK, "ofd"],
]);
const TYPES = new NumberNames<LockType>(FCNTL_TYPES);
/** FILE_IDENTITY.flags: the number of the inode is stored. */
const INODE_KNOWN = 2;

/** A descriptor table, and the task by whose pid its locks are known. */
export interface LockHolder {
  readonly table: number;
  readonly pid: number;
}

/** A FILE_LOCK with what it stands behind. */
interface StoredLock extends LockHolder {
  readonly index: number;
  readonly value: FileLock;
  readonly fd: number;
  readonly objref: number;
}

/**
 * The locks of descriptor tables by their FILE_LOCK records. One that stands behind several descriptors is one lock, at
 * the first of them: a POSIX lock belongs to the table and the inode, the others to the open file.
 */
export function decodeLocks(reader: StreamReader, holders: readonly LockHolder[], files: FileTable): Lock[] {
  const locks = new Map<string, Lock & { readonly repeats: Origin[] }>();
  for (const holder of holders)
    for (const stored of storedLocks(reader, holder)) {
      const file = files.get(stored.objref);
      const lock = decodeLock(stored, file, reader.origin(stored.index));
      const owner =
        lock.kind === "posix" ? `${holder.table} ${inodeOf(reader, stored.objref, file)}` : stored.objref;
      const { fl_flags, fl_start, fl_end, fl_type, fl_rem_lease } = stored.value;
      const key = `${owner} ${fl_flags} ${fl_start} ${fl_end} ${fl_type} ${fl_rem_lease}`;
      const first = locks.get(key);
      if (first === undefined) locks.set(key, lock);
      else first.repeats.push(lock.origin);
    }
  return [...locks.values()];
}

/**
 * The locks of one descriptor table as they are stored, descriptor by descriptor: one that belongs to an open file stands
 * behind each descriptor of it.
 */
export function storedLocksOf(reader: StreamReader, holder: LockHolder, files: FileTable): Lock[] {
  return [...storedLocks(reader, holder)].map((stored) =>
    decodeLock(stored, files.get(stored.objref), reader.origin(stored.index)),
  );
}

function* storedLocks(reader: StreamReader, holder: LockHolder): Generator<StoredLock> {
  for (const descriptor of reader.object(holder.table, "FILE_TABLE")?.parts ?? []) {
    const fields = reader.find(descriptor, RECORDS.FILE_DESC)?.value;
    if (fields === undefined) continue;
    for (const part of descriptor.parts) {
      if (part.rule !== "lock") continue;
      const { index, value } = reader.get(part, RECORDS.FILE_LOCK);
      yield { ...holder, index, value, fd: fields.fd_descriptor, objref: fields.fd_objref };
    }
  }
}

function decodeLock(
  { table, pid, fd, value }: StoredLock,
  file: OpenFile | undefined,
  origin: Origin,
): Lock & { readonly repeats: Origin[] } {
  const { fl_flags, fl_type, fl_type_prev, fl_start, fl_end, fl_rem_lease, owner_ref } = value;
  const kind = KINDS.nameOf(fl_flags);
  const breaking = (fl_type & F_INPROGRESS) !== 0;
  return {
    kind,
    type: TYPES.nameOf(fl_type & ~F_INPROGRESS),
    previous: breaking || fl_type_prev !== fl_type ? TYPES.nameOf(fl_type_prev) : undefined,
    breaking,
    remaining: breaking || fl_rem_lease !== 0 ? BigInt(fl_rem_lease) * NSEC_PER_SEC : undefined,
    owner: kind === "posix" ? owner_ref || table : undefined,
    pid,
    fd,
    start: fl_start,
    end: fl_end,
    file,
    origin,
    repeats: [],
  };
}

/** What a POSIX lock is on: the inode where the stream has its number, else what the path stands for. */
function inodeOf(reader: StreamReader, objref: number, file: OpenFile | undefined): string {
  const part: Part | undefined = reader.object(objref, "FILE");
  const identity = part && reader.find(part, RECORDS.FILE_IDENTITY)?.value;
  if (identity !== undefined && (identity.flags & INODE_KNOWN) !== 0)
    return `${identity.dev}:${identity.ino}`;
  return file?.path ?? `${objref}`;
}

/**
 * The fields of the FILE_LOCK of a lock behind a descriptor of `table` that names FILE `file`; undefined for what the
 * record has no number for. A break whose end is not known ends after `leaseSeconds`.
 */
export function encodeLock(
  lock: Lock,
  {
    table,
    file,
    leaseSeconds = LEASE_BREAK_TIME,
  }: {
    readonly table: number;
    readonly file: number;
    readonly leaseSeconds?: number | undefined;
  },
): Omit<FileLock, "pad"> | undefined {
  const { kind, type, breaking, remaining, start, end } = lock;
  const flags = KINDS.numberOf(kind);
  const stored = TYPES.numberOf(type);
  const before = TYPES.numberOf(lock.previous ?? (breaking ? heldBefore(lock) : type));
  if (flags === undefined || stored === undefined || before === undefined) return undefined;
  if (BigInt.asIntN(64, start) !== start || BigInt.asIntN(64, end) !== end) return undefined;
  return {
    fl_start: start,
    fl_end: end,
    fl_type: breaking ? stored | F_INPROGRESS : stored,
    fl_type_prev: before,
    fl_flags: flags,
    // Rounded up: the holder never has less time than is left.
    fl_rem_lease:
      remaining === undefined
        ? breaking
          ? leaseSeconds
          : 0
        : Number((remaining + NSEC_PER_SEC - 1n) / NSEC_PER_SEC),
    owner_ref: kind === "posix" ? table : kind === "ofd" ? file : 0,
  };
}

/** Only a file that is open for reading alone can have had a read lease. */
function heldBefore({ type, file }: Lock): LockType {
  return type !== "read" && ((file?.flags ?? 0) & O_ACCMODE) === O_RDONLY ? "read" : "write";
}
