import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { durationText } from "../units.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "KIND" },
  { head: "TYPE" },
  { head: "PID", align: "right" },
  { head: "FD", align: "right" },
  { head: "BYTES", align: "right" },
  { head: "FILE", cut: "start" },
];

type ShownLock = ViewData<"locks">["locks"][number];

/** `crimg show IMG locks` */
export function locksLines({ locks }: ViewData<"locks">, look: Look): Iterable<Line> {
  if (locks.length === 0) return ["no file locks or leases"];
  const rows = locks.map((lock) => [
    typeof lock.kind === "number" ? `kind ${lock.kind}` : lock.kind,
    lock.breaking ? { text: typeText(lock), role: "warning" as const } : typeText(lock),
    lock.pid,
    lock.fd,
    bytesText(lock),
    lock.file ?? "missing: the task has no such descriptor",
  ]);
  return tableLines(COLUMNS, rows, look);
}

function typeText({ type, breaking, previous, remaining }: ShownLock): string {
  if (!breaking) return typeof type === "number" ? `type ${type}` : type;
  const from = previous === undefined ? "" : `${previous} `;
  const due =
    remaining === undefined ? "" : remaining === 0n ? ", expired" : ` in ${durationText(remaining)}`;
  return `${from}breaking to ${type}${due}`;
}

/** flock(2) and leases always cover the whole file. */
function bytesText({ kind, start, end }: ShownLock): string {
  if (kind === "flock" || kind === "lease" || (start === 0n && end === undefined)) return "all";
  return `${start}-${end ?? "end"}`;
}
