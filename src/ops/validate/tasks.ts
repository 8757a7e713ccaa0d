import { IMAGES } from "../../formats/criu/images.js";
import type { CoreEntry, TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import type { FsEntry } from "../../formats/criu/tables/fs.js";
import type { MmEntry } from "../../formats/criu/tables/mm.js";
import type { PstreeEntry } from "../../formats/criu/tables/pstree.js";
import type { SetContext } from "./context.js";

/** task_core_entry.task_state */
export const STATE = { alive: 1, dead: 2, stopped: 3, helper: 6 } as const;

/** A task of pstree.img with the images of its own; absent what is missing or unreadable. */
export interface TaskFacts {
  readonly pid: number;
  /** Record of pstree.img. */
  readonly record: number;
  readonly entry: PstreeEntry;
  readonly core: CoreEntry | undefined;
  readonly ids: TaskKobjIdsEntry | undefined;
  readonly mm: MmEntry | undefined;
  readonly fs: FsEntry | undefined;
  /** A zombie: nothing but its exit status comes back. */
  readonly dead: boolean;
}

/** The tasks in the order of pstree.img. */
export function tasksOf({ set }: SetContext): readonly TaskFacts[] {
  return set.records(IMAGES.PSTREE).map(({ value: entry, index: record }) => {
    const { pid } = entry;
    const core = set.first(IMAGES.CORE, pid);
    return {
      pid,
      record,
      entry,
      core,
      ids: core?.ids ?? set.first(IMAGES.IDS, pid),
      mm: set.first(IMAGES.MM, pid),
      fs: set.first(IMAGES.FS, pid),
      dead: core?.tc?.task_state === STATE.dead,
    };
  });
}

/** Task by pid; of a pid that occurs twice the first. */
export function tasksByPid(context: SetContext): ReadonlyMap<number, TaskFacts> {
  const tasks = new Map<number, TaskFacts>();
  for (const task of context.share(tasksOf)) if (!tasks.has(task.pid)) tasks.set(task.pid, task);
  return tasks;
}

/** Threads of a live task. The list of a zombie holds what stood in criu's memory, and without a core it may be one. */
export function threadIdsOf(task: TaskFacts): readonly number[] {
  if (task.core === undefined) return [task.pid];
  return task.dead ? [] : task.entry.threads;
}

/** The task of each thread id. */
export function tasksByTid(context: SetContext): ReadonlyMap<number, TaskFacts> {
  const tasks = new Map<number, TaskFacts>();
  for (const task of context.share(tasksOf)) for (const tid of threadIdsOf(task)) tasks.set(tid, task);
  return tasks;
}
