import type { Stat } from "../../proc/stat.js";
import type { FrozenProcess } from "../freeze.js";

/** One TASK of a stream: a thread, or a zombie. */
export interface TaskRow {
  readonly tid: number;
  /** Of the process. */
  readonly stat: Stat;
  readonly frozen: FrozenProcess;
}

/** All threads in the order of a stream: a task, then its children, then its other threads. */
export function taskRows(processes: readonly FrozenProcess[]): TaskRow[] {
  const children = new Map<number, FrozenProcess[]>();
  for (const process of processes) {
    const siblings = children.get(process.stat.ppid) ?? [];
    children.set(process.stat.ppid, [...siblings, process]);
  }
  const rows: TaskRow[] = [];
  const next: TaskRow[] = processes.slice(0, 1).map(leaderRow);
  for (let row = next.pop(); row !== undefined; row = next.pop()) {
    rows.push(row);
    const { stat, frozen } = row;
    if (row.tid !== stat.pid) continue;
    next.push(
      ...frozen.threads
        .slice(1)
        .map(({ tid }) => ({ tid, stat, frozen }))
        .reverse(),
    );
    next.push(...(children.get(stat.pid) ?? []).map(leaderRow).reverse());
  }
  return rows;
}

function leaderRow(frozen: FrozenProcess): TaskRow {
  return { tid: frozen.stat.pid, stat: frozen.stat, frozen };
}
