import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { type Look, usersText } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "MODE" },
  { head: "OWNER" },
  { head: "SIZE", align: "right" },
  { head: "USED BY", cut: "end" },
  { head: "KEPT IN" },
  { head: "PATH", cut: "start" },
];

type ShownGhost = ViewData<"ghosts">["files"][number];

/** `crimg show IMG ghosts` */
export function ghostsLines({ files }: ViewData<"ghosts">, look: Look): Iterable<Line> {
  if (files.length === 0) return ["no deleted files"];
  const rows = files.map((file) => [
    modeText(file),
    file.uid === undefined ? "" : `${file.uid}:${file.gid}`,
    file.size ?? "",
    usersText(file.descriptors, file.uses),
    keptText(file),
    file.symlinkTarget === undefined ? pathText(file) : `${pathText(file)} -> ${file.symlinkTarget}`,
  ]);
  return tableLines(COLUMNS, rows, look);
}

function pathText({ path, id }: ShownGhost): string {
  return path ?? `missing: no open file has id ${id}`;
}

/** A hard link is in the directory of the path, or above it. */
function keptText({ method, keptIn }: ShownGhost): string {
  if (method === "copy") return `copy ${keptIn}`;
  return method === "link remap" ? `${keptIn.slice(keptIn.lastIndexOf("/") + 1)} on disk` : keptIn;
}

/** Letters of ls(1) for the file types, the high four bits of st_mode. */
const TYPES: Readonly<Record<number, string>> = { 1: "p", 2: "c", 4: "d", 6: "b", 8: "-", 10: "l", 12: "s" };

/** As `ls -l` shows it. */
function modeText({ mode }: ShownGhost): string {
  if (mode === undefined) return "";
  const bits = Number.parseInt(mode, 8);
  const letters = [..."rwxrwxrwx"].map((letter, at) => (bits & (0o400 >> at) ? letter : "-"));
  return `${TYPES[bits >> 12] ?? "?"}${letters.join("")}`;
}
