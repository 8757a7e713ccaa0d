import type { Checkpoint, Task } from "../../model/checkpoint.js";
import { Queues } from "./pairs.js";

/** How tasks of two checkpoints are paired; `auto` is by pid and name, then by place in the tree. */
export const MATCH_CHOICES = ["auto", "pid", "tree"] as const;
export type MatchBy = (typeof MATCH_CHOICES)[number];

export interface TaskKeys {
  readonly left: ReadonlyMap<number, string>;
  readonly right: ReadonlyMap<number, string>;
}

/** Pairs the tasks of two checkpoints: paired tasks share a key, others get a unique one. */
export function matchTasks(left: Checkpoint, right: Checkpoint, by: MatchBy): TaskKeys {
  const keys = { left: new Map<number, string>(), right: new Map<number, string>() };
  const pair = (a: Task, b: Task): void => {
    const key = a.pid === b.pid ? `${a.pid}` : `${a.pid}=${b.pid}`;
    keys.left.set(a.pid, key);
    keys.right.set(b.pid, key);
  };
  if (by !== "tree")
    pairBy(left, right, keys, pair, (task) => `${task.pid} ${by === "pid" ? "" : task.comm}`);
  if (by !== "pid") pairByTree(left, right, keys, pair);
  if (by === "auto") pairBy(left, right, keys, pair, (task) => `${task.pid}`);
  for (const task of left.tasks) if (!keys.left.has(task.pid)) keys.left.set(task.pid, `${task.pid} (old)`);
  for (const task of right.tasks)
    if (!keys.right.has(task.pid)) keys.right.set(task.pid, `${task.pid} (new)`);
  return keys;
}

type Pair = (a: Task, b: Task) => void;

function pairBy(
  left: Checkpoint,
  right: Checkpoint,
  keys: TaskKeys,
  pair: Pair,
  name: (task: Task) => string,
): void {
  const open = new Queues<Task>();
  for (const task of right.tasks) if (!keys.right.has(task.pid)) open.add(name(task), task);
  for (const task of left.tasks) {
    if (keys.left.has(task.pid)) continue;
    const partner = open.take(name(task));
    if (partner !== undefined) pair(task, partner);
  }
}

/** Pairs the roots and, below paired parents, children of the same name in order. */
function pairByTree(left: Checkpoint, right: Checkpoint, keys: TaskKeys, pair: Pair): void {
  const [leftRoot, rightRoot] = [left.tasks[0], right.tasks[0]];
  if (
    leftRoot !== undefined &&
    rightRoot !== undefined &&
    !keys.left.has(leftRoot.pid) &&
    !keys.right.has(rightRoot.pid)
  )
    pair(leftRoot, rightRoot);
  pairBy(left, right, keys, pair, (task) => {
    const parents = left.task(task.pid) === task ? keys.left : keys.right;
    return `${parents.get(task.ppid) ?? "?"} ${task.comm}`;
  });
}
