import type { TreeTask, ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { treeLines } from "../tree.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "TASK", cut: "end" },
  { head: "PGID", align: "right" },
  { head: "SID", align: "right" },
  { head: "THREADS", align: "right" },
  { head: "STATE" },
];

interface Node {
  readonly label: string;
  readonly task?: TreeTask;
  readonly children: Node[];
}

/** `crimg show IMG tree` */
export function* treeViewLines({ tasks, notes }: ViewData<"tree">, look: Look): Generator<Line> {
  const shown: Node[] = [];
  const lines = treeLines(
    forest(tasks),
    ({ children }) => children,
    (node) => {
      shown.push(node);
      return node.label;
    },
  );
  const rows = Array.from(lines, (line, at) => {
    const { task } = shown[at] as Node;
    if (task === undefined) return [line];
    return [line, task.pgid, task.sid, task.threads, stateText(task)];
  });
  yield* tableLines(COLUMNS, rows, look);
  for (const note of notes) yield look.style("warning", note);
}

/** The tasks are in depth-first order, each with its depth. */
function forest(tasks: readonly TreeTask[]): Node[] {
  const roots: Node[] = [];
  const path: Node[] = [];
  for (const task of tasks) {
    const threads = (task.threadNames ?? []).map(({ tid, comm }) => ({
      label: `{${tid}} ${comm}`,
      children: [],
    }));
    const node: Node = { label: `[${task.pid}] ${task.comm}`, task, children: threads };
    path.length = Math.min(path.length, task.depth);
    (path.at(-1)?.children ?? roots).push(node);
    path.push(node);
  }
  return roots;
}

function stateText({ state, exitCode, killedBy }: TreeTask): string {
  if (exitCode !== undefined) return `${state}, exit ${exitCode}`;
  return killedBy === undefined ? state : `${state}, ${killedBy}`;
}
