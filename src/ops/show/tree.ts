import { listed } from "../../io/listed.js";
import { signalName } from "../../linux/signals.js";
import type { Checkpoint, Task, TaskState } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface TreeView extends ViewHead<"tree"> {
  /** In depth-first order, parents before children. */
  readonly tasks: readonly TreeTask[];
  /** Peculiarities of the tree: missing leaders, damage. */
  readonly notes: readonly string[];
}

export interface TreeTask {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** 0 for the root, one more for each generation. */
  readonly depth: number;
  readonly comm: string;
  readonly state: TaskState;
  /** How a zombie ended, wait(2). */
  readonly exitCode?: number | undefined;
  readonly killedBy?: string | undefined;
  readonly threads: number;
  /** Only if requested. */
  readonly threadNames?: readonly ThreadName[] | undefined;
}

export interface ThreadName {
  readonly tid: number;
  readonly comm: string;
}

export interface TreeOptions extends ShowOptions {
  /** Read the names of all threads, one file each. */
  readonly threads?: boolean | undefined;
}

/** The process tree, or the subtrees of some tasks. Reads the tree image and the core images of the leaders. */
export function treeView(
  { checkpoint }: Document,
  { threads = false, ...options }: TreeOptions = {},
): TreeView {
  const roots = options.pids === undefined ? undefined : chosenTasks(checkpoint, options);
  const { tasks, circular } = depthFirst(checkpoint, roots);
  const pids = new Set(checkpoint.tasks.map((task) => task.pid));
  return {
    ...viewHead("tree"),
    tasks: tasks.map(([task, depth]) => treeTask(task, depth, threads)),
    notes: [...leaderNotes(tasks, pids), ...damage(checkpoint, tasks, pids, circular)],
  };
}

function treeTask(task: Task, depth: number, withThreads: boolean): TreeTask {
  const { pid, ppid, pgid, sid, comm, state, exitStatus, threads } = task;
  return {
    ...{ pid, ppid, pgid, sid, depth, comm, state },
    ...(exitStatus === undefined ? {} : endOf(exitStatus)),
    threads: threads.length,
    threadNames: withThreads ? threads.slice(1).map(({ tid, comm }) => ({ tid, comm })) : undefined,
  };
}

/** A wait status has the signal in its low seven bits, or the exit code above these and the core flag. */
function endOf(status: number): Pick<TreeTask, "exitCode" | "killedBy"> {
  const signal = status & 0x7f;
  return signal === 0 ? { exitCode: (status >> 8) & 0xff } : { killedBy: signalName(signal) };
}

type Placed = readonly [task: Task, depth: number];

/** Visits each task once, even if parents form a cycle; without roots, all trees of the set. */
function depthFirst({ tasks }: Checkpoint, roots?: readonly Task[]): { tasks: Placed[]; circular: number[] } {
  const visited = new Set<Task>();
  const order: Placed[] = [];
  const visit = (start: Task): void => {
    const waiting: Placed[] = [[start, 0]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [task, depth] = next;
      if (visited.has(task)) continue;
      visited.add(task);
      order.push(next);
      for (const child of [...task.children].reverse()) waiting.push([child, depth + 1]);
    }
  };
  if (roots !== undefined) {
    for (const root of roots) visit(root);
    return { tasks: order, circular: [] };
  }
  const pids = new Set(tasks.map((task) => task.pid));
  for (const task of tasks) if (!pids.has(task.ppid)) visit(task);
  const circular: number[] = [];
  for (const task of tasks) {
    if (visited.has(task)) continue;
    circular.push(task.pid);
    visit(task);
  }
  return { tasks: order, circular };
}

/** Maximum number of pids in one note. */
const NAMED = 5;

function leaderNotes(tasks: readonly Placed[], pids: ReadonlySet<number>): string[] {
  return (
    [
      ["session", ({ sid }: Task) => sid],
      ["group", ({ pgid }: Task) => pgid],
    ] as const
  ).flatMap(([what, leaderOf]) => {
    const members = new Map<number, number[]>();
    for (const [task] of tasks) {
      const leader = leaderOf(task);
      if (pids.has(leader)) continue;
      const group = members.get(leader);
      if (group === undefined) members.set(leader, [task.pid]);
      else group.push(task.pid);
    }
    return [...members].map(([leader, pids]) =>
      leader === 0
        ? `the ${what} leader is outside of the pid namespace: task ${listed(pids, NAMED)}`
        : `${what} ${leader} has no leader in the set: task ${listed(pids, NAMED)}`,
    );
  });
}

function damage(
  checkpoint: Checkpoint,
  shown: readonly Placed[],
  pids: ReadonlySet<number>,
  circular: readonly number[],
): string[] {
  const { tasks } = checkpoint;
  const notes: string[] = [];
  if (circular.length > 0) notes.push(`damaged: the parents of ${listed(circular, NAMED)} form a cycle`);
  const orphans = shown.filter(([{ ppid }]) => ppid !== 0 && !pids.has(ppid)).map(([{ pid }]) => pid);
  if (orphans.length > 0) notes.push(`damaged: the parent of ${listed(orphans, NAMED)} is not in the set`);
  const { repeatedPids: again } = checkpoint;
  if (again.length > 0)
    notes.push(
      `damaged: ${again.length} tasks with duplicate pids are omitted: ${listed([...new Set(again)], NAMED)}`,
    );
  if (tasks.length === 0) notes.push("damaged: the tree has no tasks");
  return notes;
}
