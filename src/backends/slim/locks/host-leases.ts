import fs from "node:fs";
import { lastRunOf } from "../proc/last-run.js";
import { lockedFile, readLocks } from "../proc/locks.js";

const BREAK_TIME = "/proc/sys/fs/lease-break-time";

/**
 * The leases of this host as they were before the tree was stopped. Opening a file breaks its lease, so such a file is
 * not opened; and those who wait for a lease tell when its break began, which nothing else does.
 */
export class HostLeases {
  readonly #breakable = new Set<string>();
  /** Milliseconds since the first that waits for a file fell asleep over it. */
  readonly #waited = new Map<string, number>();

  static read(): HostLeases {
    const leases = new HostLeases();
    const now = performance.now();
    for (const { kind, mode, type, pid, file } of readLocks()) {
      if (kind !== "LEASE") continue;
      if (mode === "BREAKING" || (mode === "ACTIVE" && type === "WRITE")) leases.#breakable.add(file);
      const slept = mode === "BREAKER" ? now - lastRunOfAny(pid, now) : 0;
      leases.#waited.set(file, Math.max(leases.#waited.get(file) ?? 0, slept));
    }
    return leases;
  }

  /** Whether opening the file, if only for reading, would break a lease or wait for one. */
  forbidsReading(stat: fs.BigIntStats): boolean {
    return this.#breakable.has(lockedFile(stat));
  }

  /**
   * Whole seconds that a break of this file's leases has left, at most: the kernel does not show when a break began, but it
   * is at least as old as the sleep of the task that waits for it.
   */
  remaining(stat: fs.BigIntStats): number {
    const whole = Number(fs.readFileSync(BREAK_TIME, "latin1"));
    const waited = (this.#waited.get(lockedFile(stat)) ?? 0) / 1000;
    return Math.max(0, Math.ceil(whole - waited));
  }
}

/** When a task last ran, of its threads the latest; `now` when it is gone or the kernel does not tell. */
function lastRunOfAny(pid: number, now: number): number {
  try {
    const times = fs.readdirSync(`/proc/${pid}/task`).map((tid) => lastRunOf(pid, Number(tid)));
    return Math.max(...times.map((time) => time ?? now));
  } catch {
    return now;
  }
}
