import { BackendError } from "../../../io/errors.js";
import { EACCES, EAGAIN } from "../../../linux/errno.js";
import { F_OFD_SETLK, F_SETLEASE, F_SETLK } from "../../../linux/files.js";
import { F_RDLCK, F_WRLCK, LOCK_EX, LOCK_NB, LOCK_SH } from "../../../linux/locks.js";
import { locksOf, readFdInfo } from "../proc/fdinfo.js";
import { SYS } from "../sys/abi-x64.js";
import { errnoName } from "../sys/kernel-error.js";
import type { ImageDescriptor, ImageLock } from "./image.js";
import { conflictsOf } from "./lock-rivals.js";
import { lockWords } from "./lock-words.js";
import type { RemoteTask } from "./work-area.js";

const FLOCK_BYTES = 32;
const KINDS = { POSIX: "posix", FLOCK: "flock", OFDLCK: "ofd", LEASE: "lease" } as const;
const TYPES = { READ: 0, WRITE: 1, UNLCK: 2 } as const;

/**
 * Takes a lock or lease again; one that was being broken as it was before. None is waited for: nobody else may hold what
 * this task held. Errors: BackendError naming who does.
 */
export function takeLock(remote: RemoteTask, fd: number, lock: ImageLock): void {
  const result = attemptLock(remote, fd, lock);
  if (result >= 0) return;
  const doing = `task ${remote.tracee.pid} cannot take its ${lockWords(lock)} of descriptor ${fd} again`;
  const conflicts =
    result === -EAGAIN || result === -EACCES ? conflictsOf(`/proc/${remote.tracee.pid}/fd/${fd}`, lock) : [];
  throw new BackendError(`${doing}: ${conflicts.length > 0 ? conflicts.join(", ") : errnoName(-result)}`);
}

function attemptLock(remote: RemoteTask, fd: number, lock: ImageLock): number {
  switch (lock.kind) {
    case "flock":
      return remote.attempt(SYS.flock, fd, (lock.type === F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB);
    case "lease":
      return remote.attempt(SYS.fcntl, fd, F_SETLEASE, heldLease(lock));
    default:
      return remote.attempt(
        SYS.fcntl,
        fd,
        lock.kind === "ofd" ? F_OFD_SETLK : F_SETLK,
        remote.put(flockBytes(lock)),
      );
  }
}

/** An image may say only what a lease becomes: what it was must then be a write lease, or a read lease to be lost. */
function heldLease({ type, held, isBreaking }: ImageLock): number {
  if (!isBreaking) return type;
  return held === type && type === F_RDLCK ? F_WRLCK : held === F_RDLCK || held === F_WRLCK ? held : F_WRLCK;
}

/** struct flock: type, whence, start, length, pid. */
function flockBytes({ type, start, length }: ImageLock): Buffer {
  const bytes = Buffer.alloc(FLOCK_BYTES);
  bytes.writeInt16LE(type, 0);
  bytes.writeBigInt64LE(start, 8);
  bytes.writeBigInt64LE(length, 16);
  return bytes;
}

/** Compares the locks that a task has by a descriptor with those of the image. Errors: BackendError when they differ. */
export function verifyLocks(task: number, { fd, locks }: ImageDescriptor): void {
  const wanted = joined(locks);
  const found = joined(
    locksOf(readFdInfo(task, fd)).map((line) => ({
      kind: KINDS[line.kind],
      type: TYPES[line.type],
      isBreaking: line.mode === "BREAKING",
      start: line.start,
      length: line.end === undefined ? 0n : line.end - line.start + 1n,
    })),
  );
  if (wanted.join() !== found.join())
    throw new BackendError(
      `descriptor ${fd} of task ${task} has ${found.join(", ") || "no lock"} instead of ${wanted.join(", ") || "none"}`,
    );
}

type Extent = Pick<ImageLock, "kind" | "type" | "isBreaking" | "start" | "length">;

/** Locks in words, sorted; the kernel makes one of those that follow each other. */
function joined(locks: readonly Extent[]): string[] {
  const sorted = [...locks].sort((a, b) => (a.start < b.start ? -1 : Number(a.start > b.start)));
  const merged: Extent[] = [];
  for (const lock of sorted) {
    const before = merged.findIndex(
      ({ kind, type, start, length }) =>
        kind === lock.kind && type === lock.type && length > 0n && start + length === lock.start,
    );
    const first = merged[before];
    if (first === undefined || lock.kind === "flock" || lock.kind === "lease") merged.push(lock);
    else merged[before] = { ...first, length: lock.length === 0n ? 0n : first.length + lock.length };
  }
  return merged.map(lockWords).sort();
}
