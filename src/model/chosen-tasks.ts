import { NotFoundError } from "../io/errors.js";
import { listed } from "../io/listed.js";
import type { Checkpoint, Task } from "./checkpoint.js";

/** The requested tasks. Errors: NotFoundError if the image has no task with such a pid. */
export function chosenTasks(
  checkpoint: Checkpoint,
  { pids }: { readonly pids?: readonly number[] | undefined },
): readonly Task[] {
  return pids === undefined ? checkpoint.tasks : [...new Set(pids)].map((pid) => taskOf(checkpoint, pid));
}

/** The task with that pid. Errors: NotFoundError, which lists the existing pids. */
function taskOf(checkpoint: Checkpoint, pid: number): Task {
  const task = checkpoint.task(pid);
  if (task !== undefined) return task;
  const leader = checkpoint.tasks.find(({ threads }) => threads.some(({ tid }) => tid === pid));
  if (leader !== undefined)
    throw new NotFoundError(`${pid} is a thread of task ${leader.pid}; use -p ${leader.pid}`);
  const pids = checkpoint.tasks.map((other) => other.pid);
  throw new NotFoundError(`no task with pid ${pid} (expected one of ${listed(pids)})`);
}
