import { BackendError, isCrimgError } from "../../../io/errors.js";
import { CLONE_VFORK } from "../../../linux/sched.js";
import { SIGKILL } from "../../../linux/signals.js";
import type { Unsupported } from "../../backend.js";
import { lastRunOf } from "../proc/last-run.js";
import { procNumbers, readProc } from "../proc/read.js";
import { readStat, type Stat } from "../proc/stat.js";
import { readStatus, type Status } from "../proc/status.js";
import { OPTION, ptrace } from "../ptrace/ptrace.js";
import { hideStop } from "../ptrace/restart.js";
import { Tracee } from "../ptrace/tracee.js";
import { poll, waitFor } from "../ptrace/wait.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";

const KILL_SECONDS = 10;

/** A process whose threads are all stopped. */
export interface FrozenProcess {
  readonly stat: Stat;
  readonly status: Status;
  /** The leader first. Empty for a zombie. */
  readonly threads: readonly Tracee[];
  /** When each thread last began to run, by tid, as `lastRunOf` tells. */
  readonly lastRun: ReadonlyMap<number, number | undefined>;
  readonly isZombie: boolean;
  /** Signal that stopped it, as SIGSTOP; 0 when it runs. */
  readonly stopSignal: number;
}

/**
 * Stops a process and all its descendants, parents first, until nothing new appears. When it cannot, all that was
 * stopped runs on. Errors: BackendError naming the task.
 */
export class FrozenTree {
  readonly processes: FrozenProcess[] = [];
  /** Processes that could not be stopped, and why; their descendants were left alone. */
  readonly unsupported: Unsupported[] = [];
  readonly #tracees: Tracee[] = [];

  constructor(
    readonly root: number,
    readonly log?: (line: string) => void,
  ) {
    try {
      this.#freeze(root);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  #freeze(pid: number): void {
    const stat = readStat(pid);
    const status = readStatus(pid);
    const problem = unstoppable(pid, status);
    if (problem !== undefined) {
      this.unsupported.push({ pid, reason: `task ${pid} ${problem}` });
      return;
    }
    const lastRun = new Map<number, number | undefined>();
    const threads = stat.state === "Z" ? undefined : this.#stopUnlessEnded(pid, lastRun);
    if (threads === undefined) {
      this.processes.push({
        stat: readStat(pid),
        status,
        threads: [],
        lastRun: new Map(),
        isZombie: true,
        stopSignal: 0,
      });
      return;
    }
    // Registers and ids are those of a process that stands still.
    this.processes.push({
      stat: readStat(pid),
      status: readStatus(pid),
      threads,
      lastRun,
      isZombie: false,
      stopSignal: Math.max(...threads.map(({ stopSignal }) => stopSignal)),
    });
    for (const { tid } of threads)
      for (const child of readProc(pid, `task/${tid}/children`).split(" ").filter(Boolean))
        this.#freeze(Number(child));
  }

  /** Undefined for a process that ends just now: its parent stands still, so it stays a zombie. */
  #stopUnlessEnded(pid: number, lastRun: Map<number, number | undefined>): Tracee[] | undefined {
    try {
      return this.#stopThreads(pid, lastRun);
    } catch (error) {
      if (pid === this.root || readStat(pid).state !== "Z") throw error;
      for (const ended of this.#tracees.filter((tracee) => tracee.pid === pid)) {
        this.#tracees.splice(this.#tracees.indexOf(ended), 1);
        ended.closeMemory();
      }
      return undefined;
    }
  }

  /** A stopped thread makes no others: when a look finds none that runs, all are there. */
  #stopThreads(pid: number, lastRun: Map<number, number | undefined>): Tracee[] {
    const threads: Tracee[] = [];
    const known = new Set<number>();
    for (;;) {
      const found = procNumbers(pid, "task").filter((tid) => !known.has(tid));
      if (found.length === 0) {
        // Until the last one stands still it could give its filters to all others.
        for (const tracee of threads) suspendFilters(tracee);
        return threads.sort((a, b) => Number(b.tid === pid) - Number(a.tid === pid));
      }
      for (const tid of found) {
        lastRun.set(tid, lastRunOf(pid, tid));
        const tracee = this.#seize(pid, tid);
        if (tracee === undefined) continue;
        tracee.waitChannel = readProc(`${pid}/task/${tid}`, "wchan");
        threads.push(tracee);
        known.add(tid);
        tracee.stop();
        hideStop(tracee);
      }
    }
  }

  /** Undefined for a thread that has ended meanwhile. */
  #seize(pid: number, tid: number): Tracee | undefined {
    try {
      const tracee = Tracee.seize(pid, tid, OPTION.sysGood);
      tracee.log = this.log;
      this.log?.(`task ${tid}: seize it: done`);
      this.#tracees.push(tracee);
      return tracee;
    } catch (error) {
      if (procNumbers(pid, "task").includes(tid)) throw error;
      return undefined;
    }
  }

  /** Lets all run on as if nothing had been. */
  release(): void {
    for (const tracee of this.#tracees.splice(0).reverse())
      try {
        tracee.detach();
      } catch (error) {
        // It was killed meanwhile.
        if (!isCrimgError(error)) throw error;
      }
  }

  /** Ends all of them, and waits until their pids can be used again or only wait for their parent. */
  kill(): void {
    for (const { stat, isZombie } of this.processes) if (!isZombie) attempt(SYS.kill, stat.pid, SIGKILL);
    // wait(2) reports the end of a leader only after that of all its threads.
    const left = new Set(this.#tracees.splice(0));
    for (const tracee of left) tracee.closeMemory();
    waitFor(`task ${this.root} does not end`, KILL_SECONDS, () => {
      for (const tracee of left)
        if (poll(tracee.tid)?.kind === "gone" || !isThere(tracee)) left.delete(tracee);
      return left.size === 0 ? true : undefined;
    });
  }
}

/**
 * Seccomp filters of a thread, which may kill it for a call, do not see those that it makes for crimg. Each thread has its
 * own. Errors: BackendError when crimg may not.
 */
function suspendFilters({ pid, tid }: Tracee): void {
  if (readStatus(`${pid}/task/${tid}`).seccomp === 0) return;
  try {
    ptrace("setOptions", tid, 0, OPTION.sysGood | OPTION.suspendSeccomp);
  } catch (cause) {
    if (!isCrimgError(cause)) throw cause;
    throw new BackendError(
      `thread ${tid} of task ${pid} has seccomp filters; to suspend them needs CAP_SYS_ADMIN, and crimg itself must have none`,
      { cause },
    );
  }
}

function isThere({ pid, tid }: Tracee): boolean {
  return attempt(SYS.tgkill, pid, tid, 0) === 0;
}

/** Why a process cannot be stopped. */
function unstoppable(pid: number, { tracer }: Status): string | undefined {
  if (tracer !== 0) return `is already traced by task ${tracer}`;
  if (procNumbers(pid, "task").some((tid) => staysInVfork(pid, tid)))
    return "waits in vfork(2) for a child that uses its memory";
  return undefined;
}

/** A child that is to run another program does so within milliseconds. */
const PATIENCE_SECONDS = 2;

/**
 * Whether a thread waits for a child to leave the memory that they share, vfork(2), and goes on doing so: no stop reaches
 * it there.
 */
function staysInVfork(pid: number, tid: number): boolean {
  try {
    waitFor("vfork", PATIENCE_SECONDS, () => (isInVfork(pid, tid) ? undefined : true));
    return false;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return true;
  }
}

function isInVfork(pid: number, tid: number): boolean {
  const thread = `${pid}/task/${tid}`;
  // It cannot be killed by a stop while it waits, state D; /proc/PID/syscall tells for what, proc_pid_syscall(5).
  if (readStat(thread).state !== "D") return false;
  const [number, first] = readProc(thread, "syscall").split(" ");
  switch (Number(number)) {
    case SYS.vfork:
    // The flags of clone3(2) stand in memory; a thread that only makes another does not wait.
    case SYS.clone3:
      return true;
    case SYS.clone:
      return (Number(first) & CLONE_VFORK) !== 0;
    default:
      return false;
  }
}

/** One TASK of a stream: a thread, or a zombie. */
export interface TaskRow {
  readonly tid: number;
  /** Of the process. */
  readonly stat: Stat;
  readonly frozen: FrozenProcess;
}

/** All threads in the order of a stream: a task, then its children, then its other threads. */
export function taskRows(processes: readonly FrozenProcess[]): TaskRow[] {
  const children = new Map<number, FrozenProcess[]>();
  for (const process of processes) {
    const siblings = children.get(process.stat.ppid) ?? [];
    siblings.push(process);
    children.set(process.stat.ppid, siblings);
  }
  const rows: TaskRow[] = [];
  const next: TaskRow[] = processes.slice(0, 1).map(leaderRow);
  for (let row = next.pop(); row !== undefined; row = next.pop()) {
    rows.push(row);
    const { stat, frozen } = row;
    if (row.tid !== stat.pid) continue;
    next.push(
      ...frozen.threads
        .slice(1)
        .map(({ tid }) => ({ tid, stat, frozen }))
        .reverse(),
    );
    next.push(...(children.get(stat.pid) ?? []).map(leaderRow).reverse());
  }
  return rows;
}

function leaderRow(frozen: FrozenProcess): TaskRow {
  return { tid: frozen.stat.pid, stat: frozen.stat, frozen };
}
