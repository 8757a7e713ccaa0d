import fs from "node:fs";
import { type LockLine, parseLock } from "./fdinfo.js";

/** A line of /proc/locks, proc_locks(5). */
export interface HostLock extends LockLine {
  /** As `lockedFile` names it. */
  readonly file: string;
  /** It is not held, somebody waits for it. */
  readonly isWaiting: boolean;
}

/** All locks and leases of this host, of all processes. */
export function readLocks(): HostLock[] {
  const locks: HostLock[] = [];
  for (const line of fs.readFileSync("/proc/locks", "latin1").split("\n")) {
    const isWaiting = line.includes(" -> ");
    const lock = parseLock(line.replace(" ->", ""));
    if (lock === undefined) continue;
    // Who waits for a lease has no file yet; he stands below the lock that he waits for.
    const file = lock.file.startsWith("<none>") ? (locks.at(-1)?.file ?? lock.file) : lock.file;
    locks.push({ ...lock, file, isWaiting });
  }
  return locks;
}

/** How /proc/locks names a file: numbers of its device in hexadecimal, two digits at least, and its inode. */
export function lockedFile({ dev, ino }: Pick<fs.BigIntStats, "dev" | "ino">): string {
  // As stat(2) packs the numbers of a device: linux/kdev_t.h, new_encode_dev().
  const major = (dev >> 8n) & 0xfffn;
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  const hex = (value: bigint): string => value.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${ino}`;
}
