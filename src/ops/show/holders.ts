import type { Checkpoint } from "../../model/checkpoint.js";
import type { OpenFile } from "../../model/open-file.js";

/** A descriptor that refers to an open file. More than one pid: the tasks share one table of descriptors. */
export interface Holder {
  readonly pids: readonly number[];
  readonly fd: number;
}

/**
 * Holders of each open file, from the descriptor tables of all tasks. A table is read once, even if several tasks share
 * it.
 */
export function holdersOf(checkpoint: Checkpoint): (file: OpenFile) => readonly Holder[] {
  const tables = new Map<number, { readonly pids: number[] }>();
  const holders = new Map<OpenFile, Holder[]>();
  for (const { pid, descriptors: table } of checkpoint.tasks) {
    if (table === undefined) continue;
    const known = tables.get(table.id);
    if (known !== undefined) {
      known.pids.push(pid);
      continue;
    }
    const pids = [pid];
    tables.set(table.id, { pids });
    for (const { fd, file } of table.descriptors) {
      if (file === undefined) continue;
      const list = holders.get(file);
      if (list === undefined) holders.set(file, [{ pids, fd }]);
      else list.push({ pids, fd });
    }
  }
  return (file) => holders.get(file) ?? [];
}

/** Whether one of the tasks is among the holders; true for all tasks (undefined). */
export function heldBy(holders: readonly Holder[], tasks: ReadonlySet<number> | undefined): boolean {
  return tasks === undefined || holders.some(({ pids }) => pids.some((pid) => tasks.has(pid)));
}
