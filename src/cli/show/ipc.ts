import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { sizeText } from "../units.js";
import type { Look } from "./words.js";

type IpcNamespace = ViewData<"ipc">["namespaces"][number];
type IpcObject =
  | IpcNamespace["segments"][number]
  | IpcNamespace["queues"][number]
  | IpcNamespace["semaphores"][number];

/** Columns in the order of ipcs(1). */
const OBJECT_COLUMNS: readonly Column[] = [
  { head: "KEY" },
  { head: "ID", align: "right" },
  { head: "OWNER" },
  { head: "PERMS" },
];

/** `crimg show IMG ipc` */
export function* ipcLines({ namespaces, note }: ViewData<"ipc">, look: Look): Generator<Line> {
  if (namespaces.length === 0) yield `no IPC namespace: ${note}`;
  for (const { id, segments, queues, semaphores } of namespaces) {
    yield look.style("heading", `IPC namespace ${id}`);
    yield* objects("shared memory segments", segments, ["SIZE", "CONTENTS"], look, (each) => [
      sizeText(each.size),
      each.contents,
    ]);
    yield* objects("message queues", queues, ["MESSAGES", "BYTES", "MAX BYTES"], look, (each) => [
      each.messages,
      each.bytes,
      each.maxBytes,
    ]);
    yield* objects("semaphore sets", semaphores, ["VALUES"], look, (each) => [each.values.join(" ")]);
  }
}

function* objects<T extends IpcObject>(
  what: string,
  list: readonly T[],
  heads: readonly string[],
  look: Look,
  cells: (each: T) => Cell[],
): Generator<Line> {
  if (list.length === 0) {
    yield `no ${what}`;
    return;
  }
  yield `${what}:`;
  const columns = [...OBJECT_COLUMNS, ...heads.map((head) => ({ head, cut: "end" as const }))];
  const rows = list.map((each) => [each.key, each.id, `${each.uid}:${each.gid}`, each.mode, ...cells(each)]);
  yield* tableLines(columns, rows, look);
}
