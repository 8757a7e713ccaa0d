import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { type Look, openMode } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "PID", align: "right" },
  { head: "FD", align: "right" },
  { head: "TYPE" },
  { head: "MODE" },
  { head: "POS", align: "right" },
  { head: "FILE", cut: "start" },
];

type TaskFds = ViewData<"fds">["tasks"][number];

/** `crimg show IMG fds` */
export function fdsLines({ tasks }: ViewData<"fds">, look: Look): Iterable<Line> {
  const length = tasks.reduce((sum, task) => sum + directoryRows(task).length + task.descriptors.length, 0);
  if (length === 0) return ["no descriptors"];
  return tableLines(COLUMNS, { length, [Symbol.iterator]: () => rowsOf(tasks) }, look);
}

function* rowsOf(tasks: readonly TaskFds[]): Generator<Cell[]> {
  for (const task of tasks) {
    yield* directoryRows(task);
    for (const descriptor of task.descriptors) yield descriptorRow(task.pid, descriptor);
  }
}

function directoryRows({ pid, cwd, root, sameAs }: TaskFds): Cell[][] {
  const rows: Cell[][] = [];
  if (cwd !== undefined) rows.push([pid, "cwd", "dir", "", "", cwd]);
  if (root !== undefined) rows.push([pid, "root", "dir", "", "", root]);
  if (sameAs !== undefined) rows.push([pid, "*", "", "", "", `the descriptor table of ${sameAs}`]);
  return rows;
}

function descriptorRow(pid: number, descriptor: TaskFds["descriptors"][number]): Cell[] {
  const { fd, type, id, flags, closeOnExec, position, file, deleted } = descriptor;
  const name = file ?? `missing: no open file has id ${id}`;
  return [pid, fd, type, modeText(flags, closeOnExec), position ?? "", deleted ? `${name} (deleted)` : name];
}

function modeText(flags: readonly string[] | undefined, closeOnExec: boolean): string {
  const mode = openMode(flags);
  // A file that was opened with O_CLOEXEC may keep the flag.
  if (!closeOnExec || /(^|,)cloexec(,|$)/.test(mode)) return mode;
  return mode === "" ? "cloexec" : `${mode},cloexec`;
}
