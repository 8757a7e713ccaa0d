import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { sizeText } from "../units.js";
import { groupedBy, groupHead } from "./same.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "LIMIT" },
  { head: "SOFT", align: "right" },
  { head: "HARD", align: "right" },
];

type ShownLimit = ViewData<"rlimits">["tasks"][number]["limits"][number];

/** `crimg show IMG rlimits`: tasks with the same limits are grouped. */
export function* rlimitsLines({ tasks }: ViewData<"rlimits">, look: Look): Generator<Line> {
  const limited = tasks.filter(({ limits }) => limits.length > 0);
  if (limited.length === 0) yield "no resource limits";
  for (const [at, group] of groupedBy(limited, ({ limits }) => limits).entries()) {
    if (at > 0) yield "";
    yield groupHead(group, look);
    const rows = (group[0]?.limits ?? []).map(({ name, soft, hard, unit }) => [
      name,
      limitText(soft, unit),
      limitText(hard, unit),
    ]);
    yield* tableLines(COLUMNS, rows, look);
  }
}

function limitText(value: ShownLimit["soft"], unit: string): string {
  if (value === "unlimited") return value;
  return unit === "bytes" ? sizeText(value) : `${value} ${unit}`.trimEnd();
}
