import type { Task } from "./checkpoint.js";
import { timerfds } from "./special-file.js";
import { isCall, type Timer } from "./timer.js";

/** The timers of each task; timerfds stand with the first of the tasks that share a descriptor table, as descriptors do. */
export function* taskTimers(tasks: Iterable<Task>): Generator<readonly [Task, readonly Timer[]]> {
  const seen = new Set<number>();
  for (const task of tasks) {
    const table = task.descriptors;
    const isFirst = table !== undefined && !seen.has(table.id);
    if (isFirst) seen.add(table.id);
    const files = isFirst ? table.descriptors.map(({ file }) => file) : [];
    const calls = task.timers.findIndex(({ kind }) => isCall(kind));
    yield [task, task.timers.toSpliced(calls < 0 ? task.timers.length : calls, 0, ...timerfds(files))];
  }
}
