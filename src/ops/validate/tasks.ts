import { IMAGES } from "../../formats/criu/images.js";
import type { SalvagedSet } from "../../formats/criu/salvage.js";
import type { CoreEntry, TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import type { FsEntry } from "../../formats/criu/tables/fs.js";
import type { MmEntry } from "../../formats/criu/tables/mm.js";
import type { PstreeEntry } from "../../formats/criu/tables/pstree.js";
import type { SetContext } from "./context.js";

/** task_core_entry.task_state */
export const STATE = { alive: 1, dead: 2, stopped: 3, helper: 6 } as const;

/** A task of pstree.img with the images of its own, read when they are asked for; absent what is missing or unreadable. */
export class TaskFacts {
  readonly pid: number;
  /** A zombie: nothing but its exit status comes back. */
  readonly dead: boolean;
  readonly #set: SalvagedSet;

  constructor(
    set: SalvagedSet,
    readonly entry: PstreeEntry,
    /** Record of pstree.img. */
    readonly record: number,
  ) {
    this.pid = entry.pid;
    this.#set = set;
    this.dead = this.core?.tc?.task_state === STATE.dead;
  }

  get core(): CoreEntry | undefined {
    return this.#set.first(IMAGES.CORE, this.pid);
  }

  get ids(): TaskKobjIdsEntry | undefined {
    return this.core?.ids ?? this.#set.first(IMAGES.IDS, this.pid);
  }

  get mm(): MmEntry | undefined {
    return this.#set.first(IMAGES.MM, this.pid);
  }

  get fs(): FsEntry | undefined {
    return this.#set.first(IMAGES.FS, this.pid);
  }
}

/** The tasks in the order of pstree.img; of a pid that occurs twice the first. */
export function tasksOf(context: SetContext): readonly TaskFacts[] {
  return [...context.share(tasksByPid).values()];
}

/** Task by pid; of a pid that occurs twice the first. */
export function tasksByPid({ set }: SetContext): ReadonlyMap<number, TaskFacts> {
  const tasks = new Map<number, TaskFacts>();
  for (const { value, index } of set.image(IMAGES.PSTREE)?.heldRecords() ?? [])
    if (!tasks.has(value.pid)) tasks.set(value.pid, new TaskFacts(set, value, index));
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
