import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import {
  type FileLockEntry,
  LEASE_BREAKING,
  LOCK_FLOCK,
  LOCK_LEASE,
  LOCK_OFD,
  LOCK_POSIX,
} from "../../formats/criu/tables/file-lock.js";
import { OFFSET_MAX } from "../../linux/files.js";
import { FCNTL_TYPES, type Lock, type LockKind, type LockType } from "../lock.js";
import { NumberNames } from "../number-names.js";
import type { OpenFile } from "../open-file.js";
import type { Origin } from "../origin.js";

/** file_lock_entry.flag */
const KINDS = new NumberNames<LockKind>([
  [LOCK_POSIX, "posix"],
  [LOCK_FLOCK, "flock"],
  [LOCK_OFD, "ofd"],
  [LOCK_LEASE, "lease"],
]);

/** file_lock_entry.type; the bits above 16 are LOCK_MAND, LOCK_READ and LOCK_WRITE of flock(2). */
const TYPES = new NumberNames<LockType>([
  ...FCNTL_TYPES,
  [32, "mandatory"],
  [32 | 64, "mandatory read"],
  [32 | 128, "mandatory write"],
  [32 | 64 | 128, "mandatory read-write"],
]);

/** What decoding a lock looks up by the pid and the descriptor that it is stored with. */
export interface LockHolders {
  fileOf(pid: number, fd: number): OpenFile | undefined;
  tableOf(pid: number): number | undefined;
}

/** The locks and leases of filelocks.img. */
export function decodeLocks(set: CriuImageSet, holders: LockHolders): Lock[] {
  return set.map(IMAGES.FILE_LOCKS, undefined, ({ index, value }) => new CriuLock(value, index, holders));
}

/** A class, since an image may hold 200,000. criu stores neither what a lease was nor when it is taken away. */
class CriuLock implements Lock {
  readonly kind: Lock["kind"];
  readonly type: Lock["type"];
  readonly breaking: boolean;
  readonly previous: undefined;
  readonly remaining: undefined;
  readonly pid: number;
  readonly fd: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly #record: number;
  readonly #holders: LockHolders;

  constructor({ flag, type, pid, fd, start, len }: FileLockEntry, record: number, holders: LockHolders) {
    this.kind = KINDS.nameOf(flag);
    this.breaking = this.kind === "lease" && (type & LEASE_BREAKING) !== 0;
    this.type = TYPES.nameOf(this.breaking ? type & ~LEASE_BREAKING : type);
    this.pid = pid;
    this.fd = fd;
    this.start = start;
    this.end = len === 0n ? OFFSET_MAX : start + len - 1n;
    this.#record = record;
    this.#holders = holders;
  }

  get owner(): number | undefined {
    return this.kind === "posix" ? this.#holders.tableOf(this.pid) : undefined;
  }

  get file(): OpenFile | undefined {
    return this.#holders.fileOf(this.pid, this.fd);
  }

  get origin(): Origin {
    return { image: IMAGES.FILE_LOCKS.file, record: this.#record };
  }

  get repeats(): readonly Origin[] {
    return [];
  }
}

/** The entry of a lock; undefined for a type that criu has no number for. */
export function encodeLock({ kind, type, breaking, pid, fd, start, end }: Lock): FileLockEntry | undefined {
  const flag = KINDS.numberOf(kind);
  const stored = TYPES.numberOf(type);
  if (flag === undefined || stored === undefined) return undefined;
  const len = end === OFFSET_MAX ? 0n : end - start + 1n;
  return { flag, type: breaking ? stored | LEASE_BREAKING : stored, pid, fd, start, len };
}
