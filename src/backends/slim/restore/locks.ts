import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { SYS } from "../sys/abi-x64.js";
import type { ImageDescriptor, ImageLock } from "./image.js";
import type { Workbench } from "./work-area.js";

const F_SETLK = 6;
const F_OFD_SETLK = 37;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_WRLCK = 1;
const FLOCK_BYTES = 32;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const BREAK_TIME = "/proc/sys/fs/lease-break-time";

/** Takes the locks of a descriptor again, all but leases. None is waited for: nobody else may hold what this task held. */
export function takeLocks(bench: Workbench, { fd, locks }: Pick<ImageDescriptor, "fd" | "locks">): void {
  for (const lock of locks) {
    const doing = `take its ${lock.kind} lock of descriptor ${fd} again`;
    if (lock.kind === "flock")
      bench.call(doing, SYS.flock, fd, (lock.type === F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB);
    else if (lock.kind !== "lease")
      bench.call(
        doing,
        SYS.fcntl,
        fd,
        lock.kind === "ofd" ? F_OFD_SETLK : F_SETLK,
        bench.put(flockBytes(lock)),
      );
  }
}

/** struct flock: type, whence, start, length, pid. */
function flockBytes({ type, start, length }: ImageLock): Buffer {
  const bytes = Buffer.alloc(FLOCK_BYTES);
  bytes.writeInt16LE(type, 0);
  bytes.writeBigInt64LE(start, 8);
  bytes.writeBigInt64LE(length, 16);
  return bytes;
}

/**
 * Takes the leases of a descriptor again. One that was being broken gets its breaker back: `conflict` opens the file for
 * what breaks it and does not wait, while the kernel gives breaks the time that was left. Its signal is not the task's.
 */
export function takeLeases(
  bench: Workbench,
  { fd, locks }: Pick<ImageDescriptor, "fd" | "locks">,
  conflict: (flags: number) => void,
): void {
  for (const lock of locks) {
    if (lock.kind !== "lease") continue;
    const wanted = lock.isBreaking ? heldBefore(lock) : lock.type;
    bench.call(`take its lease of descriptor ${fd} again`, SYS.fcntl, fd, F_SETLEASE, wanted);
    if (!lock.isBreaking) continue;
    withBreakTime(Math.max(1, lock.remaining), () =>
      // Whoever reads lets a write lease become a read lease; whoever writes takes any lease away.
      conflict(lock.type === F_RDLCK ? fs.constants.O_RDONLY : fs.constants.O_WRONLY),
    );
  }
}

/** An image may say only what the lease becomes: what it was must then be a write lease, or a read lease to be lost. */
function heldBefore({ type, held }: ImageLock): number {
  return held === type && type === F_RDLCK ? F_WRLCK : held === F_RDLCK || held === F_WRLCK ? held : F_WRLCK;
}

/** Breaks that begin meanwhile fall due after `seconds`. */
function withBreakTime(seconds: number, use: () => void): void {
  const usual = fs.readFileSync(BREAK_TIME, "latin1");
  try {
    fs.writeFileSync(BREAK_TIME, String(seconds));
  } catch (error) {
    throw new BackendError("cannot set the time that leases being broken have left", { cause: error });
  }
  try {
    use();
  } finally {
    fs.writeFileSync(BREAK_TIME, usual);
  }
}
