import type { ViewData } from "../../index.js";
import { type Column, tableLines } from "../table.js";
import { type Look, openMode, usersText } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "ID", align: "right" },
  { head: "TYPE" },
  { head: "MODE" },
  { head: "POS", align: "right" },
  { head: "SIZE", align: "right" },
  { head: "USED BY", cut: "end" },
  { head: "FILE", cut: "start" },
];

/** `crimg show IMG files` */
export function filesLines({ files }: ViewData<"files">, look: Look): Iterable<string> {
  if (files.length === 0) return ["no open files"];
  const rows = files.map((file) => {
    const { id, type, flags, position, size, deleted, nodeOf } = file;
    const usedBy = nodeOf === undefined ? usersText(file.descriptors, file.uses) : `file ${nodeOf}`;
    const name = deleted === undefined ? file.file : `${file.file} (deleted)`;
    return [id, type, openMode(flags), position ?? "", size ?? "", usedBy, name];
  });
  return tableLines(COLUMNS, rows, look);
}
