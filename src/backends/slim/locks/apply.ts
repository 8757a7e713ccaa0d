import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { EACCES, EAGAIN } from "../../../linux/errno.js";
import { AT_FDCWD, F_OFD_SETLK, F_SETLEASE, F_SETLK, F_SETOWN, OFFSET_MAX } from "../../../linux/files.js";
import { F_RDLCK, F_WRLCK, LOCK_EX, LOCK_NB, LOCK_SH } from "../../../linux/locks.js";
import { O_CLOEXEC, O_NONBLOCK, O_WRONLY } from "../../../linux/open-flags.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import type { Lock } from "../../../model/lock.js";
import type { Journal } from "../journal.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { errnoName } from "../sys/kernel-error.js";
import { attempt, call, cString } from "../sys/syscall.js";
import { conflictsOf } from "./conflicts.js";
import { type LockStep, secondsLeft } from "./plan.js";
import { verifyLocks } from "./verify.js";
import { fcntlType, lockWords } from "./words.js";

export const LOCKS: Appliers<LockStep> = {
  lock: (context, { task, fd, lock }) => takeLock(context.task(task).remote, fd, lock),
  "break lease"({ files, used }, { objref, lock }) {
    breakLease(files.get(objref), lock, secondsLeft(lock) - Number(used / NSEC_PER_SEC), files.journal);
  },
  "verify locks": (_context, { task, descriptor }) => verifyLocks(task, descriptor),
};

const FLOCK_BYTES = 32;

/**
 * Takes a lock or lease again; one that was being broken as it was before. It does not wait: no other task may hold what
 * this one held. Errors: BackendError naming who does.
 */
function takeLock(remote: RemoteTask, fd: number, lock: Lock): void {
  const result = attemptLock(remote, fd, lock);
  if (result >= 0) return;
  const doing = `task ${remote.tracee.pid} cannot take its ${lockWords(lock)} of descriptor ${fd} again`;
  const conflicts =
    result === -EAGAIN || result === -EACCES ? conflictsOf(`/proc/${remote.tracee.pid}/fd/${fd}`, lock) : [];
  throw new BackendError(`${doing}: ${conflicts.length > 0 ? conflicts.join(", ") : errnoName(-result)}`);
}

function attemptLock(remote: RemoteTask, fd: number, lock: Lock): number {
  switch (lock.kind) {
    case "flock":
      return remote.attempt(SYS.flock, fd, (lock.type === "write" ? LOCK_EX : LOCK_SH) | LOCK_NB);
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
function heldLease({ type, previous, breaking }: Lock): number {
  if (!breaking) return fcntlType(type);
  return previous === "read" && type !== "read" ? F_RDLCK : F_WRLCK;
}

/** struct flock: type, whence, start, length, pid. */
function flockBytes({ type, start, end }: Lock): Buffer {
  const bytes = Buffer.alloc(FLOCK_BYTES);
  bytes.writeInt16LE(fcntlType(type), 0);
  bytes.writeBigInt64LE(start, 8);
  bytes.writeBigInt64LE(end === OFFSET_MAX ? 0n : end - start + 1n, 16);
  return bytes;
}

const BREAK_TIME = "/proc/sys/fs/lease-break-time";

/**
 * Gives a lease its breaker back: `own`, crimg's descriptor for its file, is opened in the way that breaks it, which does
 * not wait. The holder got its signal before the checkpoint and gets none now: the file has no owner meanwhile.
 */
function breakLease(own: number, { type }: Lock, seconds: number, journal: Journal): void {
  call("clear the owner of a file", SYS.fcntl, own, F_SETOWN, 0);
  // Opening for reading makes a write lease a read lease; opening for writing removes any lease.
  const flags = (type === "read" ? 0 : O_WRONLY) | O_NONBLOCK | O_CLOEXEC;
  withBreakTime(Math.max(1, seconds), journal, () => {
    const fd = attempt(SYS.openat, AT_FDCWD, cString(`/proc/self/fd/${own}`), flags);
    if (fd >= 0) attempt(SYS.close, fd);
    if (fd !== -EAGAIN)
      throw new BackendError(
        `cannot break a lease again: ${fd >= 0 ? "no process holds it" : errnoName(-fd)}`,
      );
  });
}

/**
 * Breaks that begin meanwhile fall due after `seconds`. There is one such time for the whole host; it is another for some
 * microseconds, in which leases of others that come to be broken get it as well. The journal gives it back in any case.
 */
function withBreakTime(seconds: number, journal: Journal, use: () => void): void {
  const usual = fs.readFileSync(BREAK_TIME, "latin1").trim();
  if (Number(usual) === seconds) {
    use();
    return;
  }
  const id = journal.value(BREAK_TIME, usual);
  try {
    fs.writeFileSync(BREAK_TIME, String(seconds));
    use();
  } catch (error) {
    if (error instanceof BackendError) throw error;
    throw new BackendError("cannot set /proc/sys/fs/lease-break-time", { cause: error });
  } finally {
    fs.writeFileSync(BREAK_TIME, usual);
    journal.forget(id);
  }
}
