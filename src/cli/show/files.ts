import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { groupedBy } from "./same.js";
import { type Look, numberRanges, openMode, usersText } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "ID", align: "right" },
  { head: "TYPE" },
  { head: "MODE", cut: "end" },
  { head: "POS", align: "right" },
  { head: "SIZE", align: "right" },
  { head: "USED BY", cut: "end", min: 20 },
  { head: "FILE", cut: "start", min: 20 },
];

/** `crimg show IMG files` */
export function* filesLines({ files }: ViewData<"files">, look: Look): Generator<Line> {
  if (files.length === 0) return yield "no open files";
  const rows = { length: files.length, [Symbol.iterator]: () => rowsOf(files) };
  yield* tableLines(COLUMNS, rows, look);
  yield* ownerLines(files);
}

function* rowsOf(files: ViewData<"files">["files"]): Generator<Cell[]> {
  for (const file of files) {
    const { id, type, flags, position, size, deleted, nodeOf } = file;
    const usedBy = nodeOf === undefined ? usersText(file.descriptors, file.uses) : `file ${nodeOf}`;
    const name = deleted === undefined ? file.file : `${file.file} (deleted)`;
    yield [id, type, openMode(flags), position ?? "", size ?? "", usedBy, name];
  }
}

/** Receivers of the signals of files, grouped by owner. */
function* ownerLines(files: ViewData<"files">["files"]): Generator<Line> {
  const owned = files.filter(({ owner }) => owner !== undefined);
  for (const group of groupedBy(owned, ({ owner }) => `${owner?.signal} ${owner?.kind} ${owner?.pid}`)) {
    const [{ owner } = {}] = group;
    const ids = group.map(({ id }) => id).sort((a, b) => a - b);
    const who = owner?.pid === 0 ? "nobody" : `${owner?.kind} ${owner?.pid}`;
    yield `${owner?.signal} of file ${numberRanges(ids)} goes to ${who}`;
  }
}
