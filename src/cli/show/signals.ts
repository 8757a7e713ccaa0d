import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { groupedBy, groupHead } from "./same.js";
import { type Look, wrapped } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "SIGNAL" },
  { head: "ACTION" },
  { head: "FLAGS", cut: "end" },
  { head: "BLOCKED DURING", cut: "end" },
];

type TaskSignals = ViewData<"signals">["tasks"][number];
type ShownPending = TaskSignals["pending"][number];

/** `crimg show IMG signals`: tasks with the same actions are grouped. */
export function* signalsLines({ tasks }: ViewData<"signals">, look: Look): Generator<Line> {
  const alive = tasks.filter(({ threads }) => threads.length > 0);
  if (alive.length === 0) yield "no task that can receive a signal";
  for (const [at, group] of groupedBy(alive, behaviourOf).entries()) {
    if (at > 0) yield "";
    yield groupHead(group, look);
    const { actions, pending, threads } = group[0] as TaskSignals;
    if (actions.length === 0) yield "all signals at their defaults";
    else yield* actionTable(actions, look);
    for (const each of pending) yield pendingLine("the task", each);
    for (const { tid, blocked, pending } of threads) {
      const who = threads.length > 1 ? `thread ${tid}` : "the task";
      if (blocked.length > 0) yield* wrapped("", `blocked in ${who}: ${blocked.join(" ")}`, 0, look);
      for (const each of pending) yield pendingLine(who, each);
    }
  }
}

/** The tid is omitted for a task with one thread. */
function behaviourOf({ actions, pending, threads }: TaskSignals): unknown {
  if (threads.length > 1) return { actions, pending, threads };
  return { actions, pending, blocked: threads[0]?.blocked, own: threads[0]?.pending };
}

function actionTable(actions: TaskSignals["actions"], look: Look): Iterable<Line> {
  const rows = actions.map(({ name, action, handler, flags, mask }): Cell[] => [
    name,
    handler ?? action,
    flags.join("|"),
    mask.join(" "),
  ]);
  return tableLines(COLUMNS, rows, look);
}

function pendingLine(who: string, { name, code, sender }: ShownPending): string {
  return `pending for ${who}: ${name} (${code}${sender === undefined ? "" : ` from pid ${sender}`})`;
}
