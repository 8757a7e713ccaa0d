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

/** The tasks in the order of pstree.img; of a pid that occurs twice the first. */
export function tasksOf(context: SetContext): readonly TaskFacts[] {
  return [...context.share(tasksByPid).values()];
}

/** Task by pid; of a pid that occurs twice the first. */
export function tasksByPid({ set }: SetContext): ReadonlyMap<number, TaskFacts> {
  const tasks = new Map<number, TaskFacts>();
  for (const { value: entry, index: record } of set.records(IMAGES.PSTREE)) {
    const { pid } = entry;
    if (tasks.has(pid)) continue;
    const core = set.first(IMAGES.CORE, pid);
    tasks.set(pid, {
      pid,
      record,
      entry,
      core,
      ids: core?.ids ?? set.first(IMAGES.IDS, pid),
      mm: set.first(IMAGES.MM, pid),
      fs: set.first(IMAGES.FS, pid),
      dead: core?.tc?.task_state === STATE.dead,
    });
  }
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

/** Images of tasks and threads that are not in the tree: an earlier dump left them, and no restore reads them. */
export function strays(context: SetContext): ReadonlySet<string> {
  const tasks = context.share(tasksByPid);
  const threads = context.share(tasksByTid);
  const names = context.set.files.flatMap(({ name, kind, id }) => {
    const isOfTask = kind?.scope === IMAGES.CORE.scope && kind !== IMAGES.FDINFO && id !== undefined;
    return isOfTask && !tasks.has(id) && !threads.has(id) ? name : [];
  });
  return new Set(tasks.size === 0 ? [] : names);
}
