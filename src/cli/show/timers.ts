import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { durationText } from "../units.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "PID", align: "right" },
  { head: "KIND" },
  { head: "ID", align: "right" },
  { head: "CLOCK" },
  { head: "LEFT", align: "right" },
  { head: "EVERY", align: "right" },
  { head: "SIGNAL" },
  { head: "MISSED", align: "right" },
];

/** `crimg show IMG timers` */
export function timersLines({ timers }: ViewData<"timers">, look: Look): Iterable<Line> {
  if (timers.length === 0) return ["no timers"];
  const rows = timers.map(({ pid, kind, id, clock, armed, left, interval, signal, missed }) => [
    pid,
    kind,
    id ?? "",
    clock?.replace("CLOCK_", "") ?? "",
    armed ? durationText(left) : "not armed",
    interval === 0n ? "" : durationText(interval),
    signal ?? "",
    missed === 0n ? "" : missed,
  ]);
  return tableLines(COLUMNS, rows, look);
}
