import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { plural, sizeText } from "../units.js";
import { type Look, rangeText, taskHead } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "ADDRESS" },
  { head: "PERM" },
  { head: "SIZE", align: "right" },
  { head: "OFFSET", align: "right" },
  { head: "NAME", cut: "start" },
];

/** `crimg show IMG maps` */
export function* mapsLines({ tasks }: ViewData<"maps">, look: Look): Generator<Line> {
  for (const [at, task] of tasks.entries()) {
    if (at > 0) yield "";
    const { mappings, mapped } = task;
    yield taskHead(task, look, `${plural(mappings.length, "mapping")}, ${sizeText(mapped)}`);
    if (mappings.length === 0) continue;
    const rows = mappings.map(({ start, end, permissions, size, offset, kind, name }) => [
      { text: rangeText(start, end), role: "address" as const },
      permissions,
      sizeText(size),
      offset === 0n ? "" : `0x${offset.toString(16)}`,
      mappingName(kind, name),
    ]);
    yield* tableLines(COLUMNS, rows, look);
  }
}

/** A mapping without a name that is not plain memory is shown by its kind. */
export function mappingName(kind: string | number, name: string): string {
  if (name !== "" || kind === "anonymous") return name;
  return typeof kind === "number" ? `[type ${kind}]` : `[${kind}]`;
}
