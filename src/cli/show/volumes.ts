import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { sizeText } from "../units.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "KEPT IN" },
  { head: "NAME" },
  { head: "MOUNTED ON" },
  { head: "FILES", align: "right" },
  { head: "SIZE", align: "right" },
  { head: "SOURCE", cut: "start" },
];

/** `crimg show IMG volumes` */
export function volumesLines({ volumes, note }: ViewData<"volumes">, look: Look): Iterable<Line> {
  if (volumes.length === 0) return [`no volumes: ${note}`];
  const rows = volumes.map(({ kept, name, destination, source, files, bytes }) => [
    kept,
    name ?? "",
    destination ?? "",
    files ?? "",
    bytes === undefined ? "" : sizeText(bytes),
    source ?? "",
  ]);
  return tableLines(COLUMNS, rows, look);
}
