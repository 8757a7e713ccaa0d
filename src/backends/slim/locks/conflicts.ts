import fs from "node:fs";
import { textToBytes } from "../../../io/text.js";
import { O_ACCMODE, O_PATH } from "../../../linux/open-flags.js";
import type { Lock } from "../../../model/lock.js";
import type { FileUsers } from "../../../ops/validate/root/in-use.js";
import { readFdInfo } from "../proc/fdinfo.js";
import { type HostLock, lockedFile, readLocks } from "../proc/locks.js";
import { readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";

const NAMES = { POSIX: "posix", FLOCK: "flock", OFDLCK: "ofd", LEASE: "lease" } as const;
/** A shared and writable mapping of a file, proc_pid_maps(5): device and inode. */
const WRITABLE_MAPPING = /^\S+ .w.s \S+ (\S+) (\d+) /gm;

/** What tasks of this host do with files. /proc is read once, when it is first needed. */
export function fileUsers(): FileUsers {
  let locks: readonly HostLock[] | undefined;
  let openers: Openers | undefined;
  let mappers: ReadonlyMap<string, ReadonlySet<number>> | undefined;
  const openersOf = (file: string): readonly Opener[] => {
    openers ??= allOpeners();
    return openers.get(file) ?? [];
  };
  return {
    conflictsOf: (path, lock) => {
      const file = fileAt(path);
      if (file === undefined) return [];
      if (lock.kind === "lease") return leaseConflicts(openersOf(file), lock);
      locks ??= readLocks();
      return locks
        .filter((other) => other.file === file && !other.isWaiting && excludes(other, lock))
        .map((other) => `${holder(other, openersOf)} holds a ${NAMES[other.kind]} ${rangeWords(other)}`);
    },
    writersOf: (path) => {
      const file = fileAt(path);
      if (file === undefined) return [];
      mappers ??= allMappers();
      const open = openersOf(file).filter((opener) => canWrite(flagsOf(opener)));
      const pids = new Set([...open.map(({ pid }) => pid), ...(mappers.get(file) ?? [])]);
      return [...pids].map((pid) => `${taskWords(pid)} can write to it`);
    },
  };
}

/**
 * The tasks that keep a lock of an image from being taken on the file at `path`, as they are now: they hold a lock that
 * excludes it, or have the file open in a way that a lease excludes. Empty when there are none, or no such file.
 */
export function conflictsOf(path: string, lock: Lock): readonly string[] {
  return fileUsers().conflictsOf(path, lock);
}

/** As /proc/locks names it; undefined for none. */
function fileAt(path: string): string | undefined {
  const stat = fs.statSync(textToBytes(path), { bigint: true, throwIfNoEntry: false });
  return stat && lockedFile(stat);
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

function holder({ pid, file }: HostLock, openersOf: (file: string) => readonly Opener[]): string {
  if (pid > 0) return taskWords(pid);
  const [first] = openersOf(file);
  return first === undefined ? "another task" : taskWords(first.pid);
}

/**
 * A write lease excludes all other openers, a read lease those that write: fcntl(2). criu takes a write lease for each that
 * is being broken, whose type a set does not have.
 */
function leaseConflicts(openers: readonly Opener[], { previous = "write", breaking, type }: Lock): string[] {
  const isWrite = (breaking ? previous : type) === "write";
  const pids = new Set(
    openers
      .filter((opener) => {
        const flags = flagsOf(opener);
        return (flags & O_PATH) === 0 && (isWrite || canWrite(flags));
      })
      .map(({ pid }) => pid),
  );
  return [...pids].map((pid) => `${taskWords(pid)} has the file open${isWrite ? "" : " for writing"}`);
}

interface Opener {
  readonly pid: number;
  readonly fd: number;
}

/** By the file, as /proc/locks names it. */
type Openers = ReadonlyMap<string, readonly Opener[]>;

/** All open files of all tasks but crimg. */
function allOpeners(): Openers {
  const openers = new Map<string, Opener[]>();
  for (const pid of otherTasks())
    for (const fd of descriptorsOf(pid)) {
      const file = regularFile(`/proc/${pid}/fd/${fd}`);
      if (file === undefined) continue;
      const known = openers.get(file);
      if (known === undefined) openers.set(file, [{ pid, fd }]);
      else known.push({ pid, fd });
    }
  return openers;
}

/** The tasks but crimg that can write to a file by a mapping of theirs, by the file. */
function allMappers(): ReadonlyMap<string, ReadonlySet<number>> {
  const mappers = new Map<string, Set<number>>();
  for (const pid of otherTasks())
    for (const [, device, inode] of mapsOf(pid).matchAll(WRITABLE_MAPPING)) {
      const file = `${device}:${inode}`;
      mappers.set(file, (mappers.get(file) ?? new Set()).add(pid));
    }
  return mappers;
}

function otherTasks(): number[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function descriptorsOf(pid: number): number[] {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).map(Number);
  } catch {
    return []; // It has ended meanwhile, or may not be looked at.
  }
}

function regularFile(path: string): string | undefined {
  try {
    const stat = fs.statSync(path, { bigint: true });
    return stat.isFile() ? lockedFile(stat) : undefined;
  } catch {
    return undefined; // As above.
  }
}

function mapsOf(pid: number): string {
  try {
    return readProc(pid, "maps");
  } catch {
    return ""; // As above.
  }
}

function flagsOf({ pid, fd }: Opener): number {
  try {
    return readFdInfo(pid, fd).flags;
  } catch {
    return O_PATH; // It is closed by now.
  }
}

function canWrite(flags: number): boolean {
  return (flags & O_PATH) === 0 && (flags & O_ACCMODE) !== 0;
}

function taskWords(pid: number): string {
  try {
    return `task ${pid} (${readStat(pid).comm})`;
  } catch {
    return `task ${pid}`;
  }
}
