import type { TaskName } from "../../index.js";
import { joined, type Styled, styled } from "../line.js";
import { plural } from "../units.js";
import { type Look, taskHead } from "./words.js";

/** Groups tasks that are shown alike, in the order of the first of each group. */
export function groupedBy<T>(items: readonly T[], keyOf: (item: T) => unknown): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item), (_, value) => (typeof value === "bigint" ? `${value}n` : value));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

const NAMED = 3;

/** `[1000] nginx, [1001] nginx, [1002] nginx and 7 more tasks` */
export function groupHead(tasks: readonly TaskName[], look: Look): Styled {
  const heads = tasks.slice(0, NAMED).map((task) => taskHead(task, look));
  const more = tasks.length > NAMED ? ` and ${plural(tasks.length - NAMED, "more task")}` : "";
  return styled`${joined(heads, ", ")}${more}`;
}
