import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "ID", align: "right" },
  { head: "PARENT", align: "right" },
  { head: "FSTYPE" },
  { head: "SOURCE", cut: "start" },
  { head: "MOUNTPOINT", cut: "start" },
  { head: "FLAGS", cut: "end" },
];

type ShownMount = ViewData<"mounts">["mounts"][number];

/** `crimg show IMG mounts` */
export function mountsLines({ mounts, note }: ViewData<"mounts">, look: Look): Iterable<Line> {
  if (mounts.length === 0) return [`no mounts: ${note}`];
  const several = new Set(mounts.map(({ namespace }) => namespace)).size > 1;
  const columns: Column[] = several ? [{ head: "NS", align: "right" }, ...COLUMNS] : [...COLUMNS];
  const rows = mounts.map((mount): Cell[] => {
    const { namespace, id, parent, fileSystem, source, root, mountpoint } = mount;
    const from = root === "/" ? source : `${source}[${root}]`;
    const cells: Cell[] = [id, parent, fileSystem, from, mountpoint, flagsText(mount)];
    return several ? [namespace, ...cells] : cells;
  });
  return tableLines(columns, rows, look);
}

function flagsText({ flags, external, shared, master }: ShownMount): string {
  return [
    ...(external === undefined ? [] : [`external=${external}`]),
    ...(shared === 0 ? [] : [`shared:${shared}`]),
    ...(master === 0 ? [] : [`master:${master}`]),
    ...flags,
  ].join(",");
}
