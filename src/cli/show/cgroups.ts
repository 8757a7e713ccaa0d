import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { groupedBy } from "./same.js";
import { type Look, numberRanges } from "./words.js";

const SET_COLUMNS: readonly Column[] = [
  { head: "SET", align: "right" },
  { head: "THREADS", cut: "end" },
  { head: "PATH", cut: "start" },
  { head: "CONTROLLERS", cut: "end" },
];

const DIRECTORY_COLUMNS: readonly Column[] = [
  { head: "CONTROLLERS" },
  { head: "DIRECTORY", cut: "start" },
  { head: "PROPERTIES", cut: "end" },
];

/** The one hierarchy of cgroup v2 has no name. */
function nameOf({ controllers }: { readonly controllers: string }): string {
  return controllers || "(v2)";
}

/** `crimg show IMG cgroups` */
export function* cgroupsLines({ sets, directories }: ViewData<"cgroups">, look: Look): Generator<Line> {
  if (sets.length === 0) yield "no control groups are stored";
  else {
    const rows = sets.flatMap(({ id, outside, tids, members }): Cell[][] => {
      const threads = numberRanges([...tids].sort((a, b) => a - b));
      if (members.length === 0)
        return [[id, threads, outside ? "those of criu, not in the image" : "missing: no such set"]];
      return groupedBy(members, ({ path }) => path).map((all) => {
        return [id, threads, all[0]?.path ?? "", all.map(nameOf).join(" ")];
      });
    });
    yield* tableLines(SET_COLUMNS, rows, look);
  }
  if (directories.length === 0) return;
  yield "";
  const rows = directories.map(({ controllers, path, properties }) => [
    nameOf({ controllers }),
    path,
    properties.map(({ name, value }) => `${name}=${value.trim()}`).join(" "),
  ]);
  yield* tableLines(DIRECTORY_COLUMNS, rows, look);
}
