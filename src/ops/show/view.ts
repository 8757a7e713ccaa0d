import { NotFoundError } from "../../io/errors.js";
import type { AddressRange, Checkpoint, Task } from "../../model/checkpoint.js";
import { listed } from "./listed.js";

/** Name and version of the shape of every view as JSON; it grows by new keys only. */
export const SHOW_SCHEMA = "crimg/show/1";

/** What every view starts with. */
export interface ViewHead<Name extends string> {
  readonly schema: typeof SHOW_SCHEMA;
  readonly view: Name;
}

export interface ShowOptions {
  /** Only this task. */
  readonly pid?: number | undefined;
}

export interface TaskName {
  readonly pid: number;
  readonly comm: string;
}

export function viewHead<const Name extends string>(view: Name): ViewHead<Name> {
  return { schema: SHOW_SCHEMA, view };
}

/** The tasks that are asked for. Errors: NotFoundError when the image has no task with that pid. */
export function chosenTasks(checkpoint: Checkpoint, { pid }: ShowOptions): readonly Task[] {
  return pid === undefined ? checkpoint.tasks : [taskOf(checkpoint, pid)];
}

/** The task with that pid. Errors: NotFoundError, which lists the pids that there are. */
export function taskOf(checkpoint: Checkpoint, pid: number): Task {
  const task = checkpoint.task(pid);
  if (task !== undefined) return task;
  const leader = checkpoint.tasks.find(({ threads }) => threads.some(({ tid }) => tid === pid));
  if (leader !== undefined)
    throw new NotFoundError(`${pid} is a thread of task ${leader.pid}: ask for -p ${leader.pid}`);
  const pids = checkpoint.tasks.map((other) => other.pid);
  throw new NotFoundError(`no task of the image has pid ${pid}; there are ${listed(pids)}`);
}

export function taskName({ pid, comm }: Task): TaskName {
  return { pid, comm };
}

/** An address or mask as JSON and people see it. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** Bytes from start to end; 0 for a range that ends before it starts, as damaged images have. */
export function rangeSize({ start, end }: AddressRange): bigint {
  return end > start ? end - start : 0n;
}
