import type { Holder, ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { holderText, type Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "PIPE", cut: "start" },
  { head: "BYTES", align: "right" },
  { head: "CAPACITY", align: "right" },
  { head: "WRITERS", cut: "end" },
  { head: "READERS", cut: "end" },
];

/** `crimg show IMG pipes` */
export function pipesLines({ pipes }: ViewData<"pipes">, look: Look): Iterable<Line> {
  if (pipes.length === 0) return ["no pipes or fifos"];
  const rows = pipes.map(({ kind, id, path, bytes, capacity, readers, writers }) => [
    path === undefined ? `${kind}:[${id}]` : `${kind} ${path}`,
    bytes,
    capacity ?? "",
    endText(writers),
    endText(readers),
  ]);
  return tableLines(COLUMNS, rows, look);
}

function endText(holders: readonly Holder[]): Cell {
  return holders.length === 0 ? { text: "none", role: "warning" } : holderText(holders);
}
