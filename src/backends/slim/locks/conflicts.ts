import fs from "node:fs";
import { textToBytes } from "../../../io/text.js";
import { O_ACCMODE, O_PATH } from "../../../linux/open-flags.js";
import type { Lock } from "../../../model/lock.js";
import { readFdInfo } from "../proc/fdinfo.js";
import { type HostLock, lockedFile, readLocks } from "../proc/locks.js";
import { readStat } from "../proc/stat.js";

const NAMES = { POSIX: "posix", FLOCK: "flock", OFDLCK: "ofd", LEASE: "lease" } as const;

/**
 * The tasks that keep a lock of an image from being taken on the file at `path`: they hold a lock that excludes it, or have
 * the file open in a way that a lease excludes. Empty when there are none, or no such file.
 */
export function conflictsOf(path: string, lock: Lock, locks: readonly HostLock[] = readLocks()): string[] {
  const stat = fs.statSync(textToBytes(path), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (lock.kind === "lease") return openers(stat, lock);
  const key = lockedFile(stat);
  return locks
    .filter((other) => other.file === key && !other.isWaiting && excludes(other, lock))
    .map((other) => `${holder(other, stat)} holds a ${NAMES[other.kind]} ${rangeWords(other)}`);
}

/** POSIX and OFD locks exclude each other, flock locks only each other: fcntl(2), flock(2). */
function excludes(other: HostLock, lock: Lock): boolean {
  const isFlock = lock.kind === "flock";
  if (other.kind === "LEASE" || (other.kind === "FLOCK") !== isFlock) return false;
  if (lock.type !== "write" && other.type !== "WRITE") return false;
  const isBefore = other.end !== undefined && other.end < lock.start;
  return isFlock || !(isBefore || lock.end < other.start);
}

function rangeWords({ kind, type, start, end }: HostLock): string {
  const range = kind === "FLOCK" ? "" : ` on bytes ${start} to ${end ?? "the end"}`;
  return `${type.toLowerCase()} lock${range}`;
}

function holder({ pid }: HostLock, stat: fs.BigIntStats): string {
  if (pid > 0) return taskWords(pid);
  const [first] = tasksWith(stat);
  return first === undefined ? "another task" : taskWords(first.pid);
}

/** A write lease excludes all other openers, a read lease those that write: fcntl(2). */
function openers(stat: fs.BigIntStats, { previous, breaking, type }: Lock): string[] {
  const isWrite = (breaking ? previous : type) === "write";
  const pids = new Set(
    tasksWith(stat)
      .filter(({ flags }) => (flags & O_PATH) === 0 && (isWrite || (flags & O_ACCMODE) !== 0))
      .map(({ pid }) => pid),
  );
  return [...pids].map((pid) => `${taskWords(pid)} has the file open${isWrite ? "" : " for writing"}`);
}

/** All tasks but crimg that have a file open. */
function tasksWith({ dev, ino }: fs.BigIntStats): { readonly pid: number; readonly flags: number }[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        return fs.readdirSync(`/proc/${name}/fd`).flatMap((fd) => {
          const there = fs.statSync(`/proc/${name}/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
          if (there?.ino !== ino || there.dev !== dev) return [];
          return [{ pid: Number(name), flags: readFdInfo(Number(name), Number(fd)).flags }];
        });
      } catch {
        // It has ended meanwhile, or may not be looked at.
        return [];
      }
    });
}

function taskWords(pid: number): string {
  try {
    return `task ${pid} (${readStat(pid).comm})`;
  } catch {
    return `task ${pid}`;
  }
}
