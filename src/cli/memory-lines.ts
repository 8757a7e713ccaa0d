import type { MemoryCounts, MemoryView } from "../index.js";
import { type Line, styled } from "./line.js";
import { mappingName } from "./show/maps.js";
import { type Look, rangeText, taskHead } from "./show/words.js";
import { type Cell, type Column, tableLines } from "./table.js";
import { plural, sizeText } from "./units.js";

/** Columns, and which are omitted if all of their cells are empty. */
const COUNTS: readonly (readonly [head: string, field: keyof MemoryCounts, always: boolean])[] = [
  ["STORED", "stored", true],
  ["IN PARENT", "inParent", false],
  ["LAZY", "lazy", false],
  ["MISSING", "missing", false],
  ["ZERO", "zero", true],
  ["NOT IN IMAGE", "elsewhere", true],
];

/** What counts say, in a sentence. */
const WORDS: Readonly<Record<keyof MemoryCounts, string>> = {
  stored: "stored",
  inParent: "in parent sets",
  lazy: "lazy",
  missing: "missing in parent sets",
  zero: "zero",
  elsewhere: "not in the image",
};

/** `crimg memory IMG` */
export function* memoryLines({ tasks, segments, total, pageSize }: MemoryView, look: Look): Generator<Line> {
  const amount = (pages: number): string => (pages === 0 ? "-" : sizeText(BigInt(pages) * BigInt(pageSize)));
  const told = (counts: MemoryCounts): string =>
    COUNTS.flatMap(([, field]) =>
      (field === "stored" || counts[field] > 0) && field !== "zero" && field !== "elsewhere"
        ? `${counts[field] === 0 ? "0 B" : amount(counts[field])} ${WORDS[field]}`
        : [],
    ).join(", ");
  for (const task of tasks) {
    yield taskHead(
      task,
      look,
      task.sharesWith === undefined ? told(task) : `address space of task ${task.sharesWith}`,
    );
    if (task.mappings.length > 0)
      yield* table(
        ["ADDRESS", "PERM", "SIZE"],
        task.mappings.map((mapping) => ({
          counts: mapping,
          cells: [
            { text: rangeText(mapping.start, mapping.end), role: "address" },
            mapping.permissions,
            sizeText(mapping.size),
          ],
          name: mappingName(mapping.kind, mapping.name),
        })),
        { look, amount },
      );
    yield "";
  }
  if (segments.length > 0) {
    yield styled`${look.style("heading", "Shared memory")}  stored once`;
    yield* table(
      ["SEGMENT", "MAPPED BY"],
      segments.map((segment) => ({
        counts: segment,
        cells: [String(segment.segment), usersText(segment.mappedBy)],
        name: segment.name,
      })),
      { look, amount },
    );
    yield "";
  }
  yield styled`${look.style("heading", "Total")}  ${told(total)}; ${plural(tasks.length, "task")}`;
}

interface Row {
  readonly cells: readonly Cell[];
  readonly counts: MemoryCounts;
  readonly name: string;
}

function table(
  heads: readonly string[],
  rows: readonly Row[],
  { look, amount }: { readonly look: Look; readonly amount: (pages: number) => string },
): Iterable<Line> {
  const shown = COUNTS.filter(([, field, always]) => always || rows.some(({ counts }) => counts[field] > 0));
  const columns: Column[] = [
    ...heads.map((head) => (head === "SIZE" ? { head, align: "right" as const } : { head })),
    ...shown.map(([head]) => ({ head, align: "right" as const })),
    { head: "NAME", cut: "start" },
  ];
  return tableLines(
    columns,
    rows.map(({ cells, counts, name }) => [
      ...cells,
      ...shown.map(([, field]) => amount(counts[field])),
      name,
    ]),
    look,
  );
}

const SHOWN_USERS = 3;

function usersText(users: readonly { readonly pid: number }[]): string {
  const pids = [...new Set(users.map(({ pid }) => pid))];
  const more = pids.length > SHOWN_USERS ? ` +${pids.length - SHOWN_USERS}` : "";
  return `${pids.slice(0, SHOWN_USERS).join(", ")}${more}`;
}
