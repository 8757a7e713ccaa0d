import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process or thread of this host, from /proc/PID/stat, proc_pid_stat(5). */
export interface HostProcess {
  readonly pid: number;
  readonly comm: string;
  /** One letter; Z is a zombie. */
  readonly state: string;
  readonly ppid: number;
}

const POLL_MS = 50;

/** The process or thread with this id; undefined if none. */
export function hostProcess(pid: number): HostProcess | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The name may contain blanks and parentheses, so it ends at the last parenthesis.
  const open = stat.indexOf("(");
  const close = stat.lastIndexOf(")");
  const [state = "?", ppid = "0"] = stat.slice(close + 2).split(" ");
  return { pid, comm: stat.slice(open + 1, close), state, ppid: Number(ppid) };
}

/** Waits until none of the pids is a zombie, at most `seconds`. Returns those that are still in use. */
export async function takenPids(pids: readonly number[], seconds: number): Promise<HostProcess[]> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const taken = pids.flatMap((pid) => hostProcess(pid) ?? []);
    const hopeful = taken.length > 0 && taken.every(({ state }) => state === "Z" || state === "X");
    if (!hopeful || Date.now() > end) return taken;
    await sleep(POLL_MS);
  }
}

/** Kills a process and all its descendants, if they exist. */
export function killTree(root: number): void {
  // Stopped first, so that none forks while they are being killed.
  for (const signal of ["SIGSTOP", "SIGKILL"] as const)
    for (const pid of descendants(root)) {
      try {
        process.kill(pid, signal);
      } catch {
        // it has already ended
      }
    }
}

/** The process and its descendants, parents first. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const found = /^\d+$/.test(name) ? hostProcess(Number(name)) : undefined;
    if (found === undefined) continue;
    const siblings = children.get(found.ppid);
    if (siblings === undefined) children.set(found.ppid, [found.pid]);
    else siblings.push(found.pid);
  }
  const tree = [root];
  for (const pid of tree) for (const child of children.get(pid) ?? []) tree.push(child);
  return tree;
}
