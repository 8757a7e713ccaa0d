import fs from "node:fs";
import type { FdInfo } from "./fdinfo.js";

/** A lock by its line, as in /proc/locks; `1: POSIX  ADVISORY  WRITE 4711 fe:00:99 0 EOF`. */
export interface LockLine {
  readonly kind: "POSIX" | "FLOCK" | "OFDLCK" | "LEASE";
  /** ADVISORY, MANDATORY; for a lease ACTIVE, BREAKING, BREAKER. */
  readonly mode: string;
  readonly type: "READ" | "WRITE" | "UNLCK";
  /** -1 for locks that belong to the open file. */
  readonly pid: number;
  readonly start: bigint;
  /** Last byte; undefined up to the end of the file. */
  readonly end: bigint | undefined;
}

const KINDS = ["POSIX", "FLOCK", "OFDLCK", "LEASE"] as const;
const TYPES = ["READ", "WRITE", "UNLCK"] as const;

/** The locks of a descriptor. */
export function locksOf({ lines }: FdInfo): LockLine[] {
  return (lines.get("lock") ?? []).flatMap((line) => parseLock(line) ?? []);
}

/** A line about a lock; undefined for a kind that the slim backend does not know. */
function parseLock(line: string): (LockLine & { readonly file: string }) | undefined {
  const [, word, mode = "", letter, pid, file = "", start = "0", end] = line.split(/\s+/);
  const kind = KINDS.find((each) => each === word);
  const type = TYPES.find((each) => each === letter);
  if (kind === undefined || type === undefined) return undefined;
  return {
    kind,
    mode,
    type,
    pid: Number(pid),
    file,
    start: BigInt(start),
    end: end === undefined || end === "EOF" ? undefined : BigInt(end),
  };
}

/** A line of /proc/locks, proc_locks(5). */
export interface HostLock extends LockLine {
  /** As `lockedFile` names it. */
  readonly file: string;
  /** It is not held: a task waits for it. */
  readonly isWaiting: boolean;
}

/** All locks and leases of this host, of all processes. */
export function readLocks(): HostLock[] {
  const locks: HostLock[] = [];
  for (const line of fs.readFileSync("/proc/locks", "latin1").split("\n")) {
    const isWaiting = line.includes(" -> ");
    const lock = parseLock(line.replace(" ->", ""));
    if (lock === undefined) continue;
    // A task that waits for a lease has no file in its line, which stands below that of the lease.
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
