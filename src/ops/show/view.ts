import type { Checkpoint, Task } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { AddressRange } from "../../model/origin.js";

/** Common keys of all views. */
export interface ViewHead<Name extends string> {
  readonly view: Name;
}

export interface ShowOptions {
  /** Only these tasks. */
  readonly pids?: readonly number[] | undefined;
}

export interface TaskName {
  readonly pid: number;
  readonly comm: string;
}

export function viewHead<const Name extends string>(view: Name): ViewHead<Name> {
  return { view };
}

/** Pids of the requested tasks; undefined for all. Errors: NotFoundError if the image has no task with such a pid. */
export function chosenPids(checkpoint: Checkpoint, options: ShowOptions): ReadonlySet<number> | undefined {
  if (options.pids === undefined) return undefined;
  return new Set(chosenTasks(checkpoint, options).map(({ pid }) => pid));
}

export function taskName({ pid, comm }: Task): TaskName {
  return { pid, comm };
}

/** Bytes from start to end; 0 if the range ends before it starts (a damaged image). */
export function rangeSize({ start, end }: AddressRange): bigint {
  return end > start ? end - start : 0n;
}
