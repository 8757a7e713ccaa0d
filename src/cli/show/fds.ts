import type { ViewData } from "../../index.js";
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
export function fdsLines({ tasks }: ViewData<"fds">, look: Look): Iterable<string> {
  const rows = tasks.flatMap(taskRows);
  return rows.length === 0 ? ["no descriptors"] : tableLines(COLUMNS, rows, look);
}

function taskRows({ pid, cwd, root, sameAs, descriptors }: TaskFds): Cell[][] {
  const rows: Cell[][] = [];
  if (cwd !== undefined) rows.push([pid, "cwd", "dir", "", "", cwd]);
  if (root !== undefined) rows.push([pid, "root", "dir", "", "", root]);
  if (sameAs !== undefined) rows.push([pid, "*", "", "", "", `the descriptor table of ${sameAs}`]);
  for (const { fd, type, flags, closeOnExec, position, file, id, deleted } of descriptors) {
    const name =
      file === undefined ? `missing: no open file has id ${id}` : deleted ? `${file} (deleted)` : file;
    rows.push([pid, fd, type, openMode(flags, closeOnExec), position ?? "", name]);
  }
  return rows;
}
