import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "CHANGE" },
  { head: "MODE" },
  { head: "OWNER" },
  { head: "SIZE", align: "right" },
  { head: "MODIFIED" },
  { head: "PATH", cut: "start" },
];

type ShownRootChange = ViewData<"rootfs">["changes"][number];

/** `crimg show IMG rootfs` */
export function* rootfsLines({ changes, note }: ViewData<"rootfs">, look: Look): Generator<Line> {
  if (changes.length > 0) yield* tableLines(COLUMNS, changes.map(cells), look);
  if (note !== undefined) yield changes.length === 0 ? `no changes: ${note}` : note;
}

function cells({ change, path, type, size, mode, uid, gid, modified, target }: ShownRootChange) {
  const shown = type === "a directory" ? `${path}/` : target === undefined ? path : `${path} -> ${target}`;
  return [
    change,
    mode ?? "",
    uid === undefined ? "" : `${uid}:${gid}`,
    type === "a regular file" ? (size ?? "") : "",
    modified?.slice(0, 19).replace("T", " ") ?? "",
    shown,
  ];
}
