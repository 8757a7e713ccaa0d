import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Column, tableLines } from "../table.js";
import { durationText, plural } from "../units.js";
import type { Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "KIND" },
  { head: "ID", align: "right" },
  { head: "TASKS", align: "right" },
  { head: "NAMESPACE", cut: "end" },
];

type ShownNamespace = ViewData<"ns">["namespaces"][number];

/** `crimg show IMG ns` */
export function nsLines({ namespaces }: ViewData<"ns">, look: Look): Iterable<Line> {
  if (namespaces.length === 0) return ["no namespaces in the image"];
  const rows = namespaces.map((namespace) => [
    namespace.kind,
    namespace.id,
    namespace.pids.length,
    namespace.dumped ? factsText(namespace) : "shared with criu, not in the image",
  ]);
  return tableLines(COLUMNS, rows, look);
}

function factsText({
  external,
  hostName,
  domainName,
  devices,
  uidMap,
  gidMap,
  mounts,
  boottime,
}: ShownNamespace): string {
  const map = (name: string, ranges: typeof uidMap): string[] =>
    (ranges ?? []).map(({ inside, outside, count }) => `${name} ${inside}=${outside}+${count}`);
  const facts = [
    ...(external === undefined ? [] : [`external: ${external}`]),
    ...(hostName === undefined ? [] : [`host name ${hostName}`]),
    ...(domainName === undefined || domainName === "(none)" ? [] : [`domain ${domainName}`]),
    ...(devices ?? []).map(({ name, type, address }) => [name, type, address].filter(Boolean).join(" ")),
    ...map("uid", uidMap),
    ...map("gid", gidMap),
    ...(mounts === undefined ? [] : [plural(mounts, "mount")]),
    ...(boottime === undefined ? [] : [`up ${durationText(boottime)}`]),
  ];
  return facts.length === 0 ? "in the image" : facts.join("; ");
}
