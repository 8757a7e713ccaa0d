import { PID_MAX_LIMIT } from "../../../linux/sched.js";
import type { Task } from "../../../model/checkpoint.js";
import type { Origin } from "../../../model/origin.js";
import type { ImageContext } from "../context.js";
import type { Found, Place, Rule } from "../finding.js";

const UNDO =
  "crimg undo takes back the edit that did it; else checkpoint again: ids and parents are no edit's.";

/** Rules about the process tree and the ids of tasks. */
export const treeRules: readonly Rule<ImageContext>[] = [
  {
    id: "PID_RANGE",
    level: "error",
    about: `Ids of processes and threads are from 1 to ${PID_MAX_LIMIT}, those of groups and sessions at most that: Linux gives no others.`,
    fix: UNDO,
    *check(context) {
      const expected = `1 to ${PID_MAX_LIMIT}`;
      for (const { id, pid, origin } of context.checkpoint.ids())
        if (id < 1 || id > PID_MAX_LIMIT)
          yield { at: context.placeOf(origin, { pid }), what: "invalid pid", expected, found: String(id) };
      for (const task of context.checkpoint.tasks)
        for (const [what, id] of [
          ["process group", task.pgid],
          ["session", task.sid],
        ] as const)
          if (id < 0 || id > PID_MAX_LIMIT)
            yield {
              at: placeOf(context, task),
              what: `invalid id of a ${what}`,
              expected,
              found: String(id),
            };
    },
  },
  {
    id: "PID_DUPLICATE",
    level: "error",
    about: "No two processes or threads have one id.",
    fix: UNDO,
    *check(context) {
      const seen = new Map<number, Origin>();
      for (const { id, pid, origin } of context.checkpoint.ids()) {
        const first = seen.get(id);
        if (first === undefined) seen.set(id, origin);
        else
          yield {
            at: context.placeOf(origin, { pid }),
            what: `duplicate pid ${id}`,
            found: `record ${first.record}`,
          };
      }
    },
  },
  {
    id: "TREE_ROOT",
    level: "error",
    about: "Exactly one task has no parent, and it is the first: a restore starts with it.",
    fix: UNDO,
    *check(context) {
      const [first, ...others] = context.checkpoint.tasks;
      if (first === undefined) return;
      if (first.ppid !== 0)
        yield {
          at: placeOf(context, first),
          what: "the first task has a parent",
          expected: "0",
          found: String(first.ppid),
        };
      for (const task of others)
        if (task.ppid === 0)
          yield { at: placeOf(context, task), what: "a second task without a parent", expected: "one root" };
    },
  },
  {
    id: "TREE_PARENT",
    level: "error",
    about: "The parent of a task is in the image and stands before it.",
    fix: UNDO,
    *check(context) {
      const { checkpoint } = context;
      const before = new Set<number>();
      for (const task of checkpoint.tasks) {
        const { pid, ppid } = task;
        if (before.size > 0 && ppid !== 0 && !before.has(ppid)) {
          const isLater = checkpoint.task(ppid) !== undefined;
          yield {
            at: placeOf(context, task),
            what: isLater ? "the parent stands behind its child" : "missing parent",
            expected: `task ${ppid} before this one`,
            found: isLater ? "behind it" : "none",
          };
        }
        before.add(pid);
      }
    },
  },
  {
    id: "TREE_CYCLE",
    level: "error",
    about: "No task is its own ancestor.",
    fix: UNDO,
    check: cycles,
  },
];

function placeOf(context: ImageContext, { origin, pid }: Task): Place {
  return context.placeOf(origin, { pid });
}

/** Follows each task's parents once; a walk that meets itself is a cycle. */
function* cycles(context: ImageContext): Generator<Found> {
  const { checkpoint } = context;
  const walkOf = new Map<Task, Task>();
  for (const start of checkpoint.tasks) {
    let task: Task | undefined = start;
    while (task !== undefined && !walkOf.has(task)) {
      walkOf.set(task, start);
      task = checkpoint.task(task.ppid);
    }
    if (task !== undefined && walkOf.get(task) === start)
      yield { at: placeOf(context, task), what: "the task is its own ancestor" };
  }
}
