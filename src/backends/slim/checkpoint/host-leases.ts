import fs from "node:fs";
import { readProc } from "../proc/read.js";

const HEX = 16;
const BREAK_TIME = "/proc/sys/fs/lease-break-time";

/** A line of /proc/locks about a lease: proc_locks(5), lock_get_status() of fs/locks.c. */
const LINE = /^\d+: (-> )?LEASE\s+(\w+)\s+(\w+)\s+(-?\d+)\s+(\S+)/;

/**
 * The leases of this host as they were before the tree was stopped. Opening a file breaks its lease, so such a file is
 * not opened; and those who wait for a lease tell when its break began, which nothing else does.
 */
export class HostLeases {
  readonly #breakable = new Set<string>();
  /** Milliseconds of CPU clock since the first that waits fell asleep, by file. */
  readonly #waited = new Map<string, number>();

  private constructor(lines: string, now: number, lastRun: (pid: number) => number | undefined) {
    for (const line of lines.split("\n")) {
      const [, , mode, type, pid, file] = LINE.exec(line) ?? [];
      if (mode === undefined || file === undefined) continue;
      if (mode === "BREAKING" || (mode === "ACTIVE" && type === "WRITE")) this.#breakable.add(file);
      const since = mode === "BREAKER" ? lastRun(Number(pid)) : undefined;
      if (since !== undefined)
        this.#waited.set(file, Math.max(this.#waited.get(file) ?? 0, Math.max(0, now - since)));
    }
  }

  static read(): HostLeases {
    return new HostLeases(fs.readFileSync("/proc/locks", "latin1"), schedulerNow(), lastRunOfAny);
  }

  /** Whether opening the file, if only for reading, would break a lease or wait for one. */
  forbidsReading(stat: fs.BigIntStats): boolean {
    return this.#breakable.has(fileKey(stat));
  }

  /**
   * Whole seconds that a break of this file's leases has left, at most: the kernel tells nobody when a break falls due,
   * but one that began before somebody fell asleep over it has had that long.
   */
  remaining(stat: fs.BigIntStats): number {
    const whole = Number(fs.readFileSync(BREAK_TIME, "latin1"));
    return Math.max(0, Math.ceil(whole - (this.#waited.get(fileKey(stat)) ?? 0) / 1000));
  }
}

/** As /proc/locks names a file: major and minor number in hexadecimal, two digits at least, and the inode. */
function fileKey({ dev, ino }: fs.BigIntStats): string {
  const major = (dev >> 8n) & 0xfffn;
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  const hex = (value: bigint): string => value.toString(HEX).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${ino}`;
}

/** The clock of se.exec_start: that of a task which runs right now. */
function schedulerNow(): number {
  return lastRunOfAny(process.pid) ?? 0;
}

/** When a task last ran, of its threads the latest; undefined when it is gone or the kernel does not tell. */
function lastRunOfAny(pid: number): number | undefined {
  try {
    const times = fs
      .readdirSync(`/proc/${pid}/task`)
      .map((tid) => /^se\.exec_start\s*:\s*([\d.]+)$/m.exec(readProc(`${pid}/task/${tid}`, "sched"))?.[1]);
    return times.includes(undefined) ? undefined : Math.max(...times.map(Number));
  } catch {
    return undefined;
  }
}
