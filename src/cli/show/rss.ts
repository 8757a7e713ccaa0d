import type { ViewData } from "../../index.js";
import { type Line, styled } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { plural, sizeText } from "../units.js";
import { mappingName } from "./maps.js";
import { type Look, rangeText, taskHead } from "./words.js";

type TaskRss = ViewData<"rss">["tasks"][number];
type MappingRss = TaskRss["mappings"][number];

/** Columns that are omitted if empty. */
const ELSEWHERE = [
  ["IN PARENT", "inParent"],
  ["LAZY", "lazy"],
] as const;

/** `crimg show IMG rss` */
export function* rssLines({ tasks, pageSize }: ViewData<"rss">, look: Look): Generator<Line> {
  for (const [at, task] of tasks.entries()) {
    if (at > 0) yield "";
    const stored = `${sizeText(task.stored * pageSize)} in ${plural(task.stored, "page")} stored`;
    const elsewhere = [
      task.inParent > 0 ? `, ${sizeText(task.inParent * pageSize)} in parent sets` : "",
      task.lazy > 0 ? `, ${sizeText(task.lazy * pageSize)} lazy` : "",
    ].join("");
    yield taskHead(task, look, stored + elsewhere);
    if (task.mappings.length === 0) continue;
    if (task.mappings.some(({ runs }) => runs !== undefined)) yield* runLines(task, look);
    else yield* mappingTable(task, pageSize, look);
  }
}

function mappingTable({ mappings }: TaskRss, pageSize: number, look: Look): Iterable<Line> {
  const more = ELSEWHERE.filter(([, field]) => mappings.some((mapping) => mapping[field] > 0));
  const columns: Column[] = [
    { head: "ADDRESS" },
    { head: "PERM" },
    { head: "SIZE", align: "right" },
    { head: "STORED", align: "right" },
    ...more.map(([head]) => ({ head, align: "right" as const })),
    { head: "NAME", cut: "start" },
  ];
  const amount = (pages: number): string => (pages === 0 ? "-" : sizeText(pages * pageSize));
  const rows = mappings.map((mapping): Cell[] => [
    { text: rangeText(mapping.start, mapping.end), role: "address" },
    mapping.permissions,
    sizeText(mapping.size),
    amount(mapping.stored),
    ...more.map(([, field]) => amount(mapping[field])),
    mappingName(mapping.kind, mapping.name),
  ]);
  return tableLines(columns, rows, look);
}

/** Too many for a table, whose layout needs all rows. */
function* runLines({ mappings }: TaskRss, look: Look): Generator<Line> {
  for (const mapping of mappings) {
    yield mappingLine(mapping, look);
    for (const { start, end, pages, where } of mapping.runs ?? [])
      yield `    ${rangeText(start, end)}  ${plural(pages, "page")}${where === "stored" ? "" : `, ${where}`}`;
  }
}

function mappingLine({ start, end, permissions, kind, name }: MappingRss, look: Look): Line {
  const address = look.style("address", rangeText(start, end));
  const what = `${permissions}  ${mappingName(kind, name)}`.trimEnd();
  return styled`${address}  ${what}`;
}
