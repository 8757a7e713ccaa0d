import type { FileUse, Holder, TaskName } from "../../index.js";
import { escapeText } from "../escape.js";
import { type Line, type Styled, styled } from "../line.js";
import type { TableOptions } from "../table.js";

/** Colours and terminal width for the lines of a view. */
export type Look = TableOptions;

/** `[1000] logger`, the heading of a task. */
export function taskHead({ pid, comm }: TaskName, look: Look, more = ""): Styled {
  return styled`${look.style("address", `[${pid}]`)} ${look.style("name", comm)}${more && `  ${more}`}`;
}

const SHOWN_HOLDERS = 4;

/** `1000:3 1001:5`: tasks and their descriptors; tasks that share a table as `1000,1003:3`. */
export function holderText(holders: readonly Holder[]): string {
  const shown = holders.slice(0, SHOWN_HOLDERS).map(({ pids, fd }) => `${pidsText(pids)}:${fd}`);
  const more = holders.length > SHOWN_HOLDERS ? ` +${holders.length - SHOWN_HOLDERS}` : "";
  return shown.join(" ") + more;
}

const SHOWN_USES = 3;

/** Descriptors and other uses: `1000:3 1000:cwd`. The mapping of a program is implied by its exe. */
export function usersText(holders: readonly Holder[], uses: readonly FileUse[]): string {
  const runs = new Set(uses.filter(({ as }) => as === "exe").map(({ pid }) => pid));
  const told = uses.filter(({ pid, as }) => as !== "map" || !runs.has(pid));
  const others = told.slice(0, SHOWN_USES).map(({ pid, as }) => `${pid}:${as}`);
  if (told.length > SHOWN_USES) others.push(`+${told.length - SHOWN_USES}`);
  return [holderText(holders), ...others].filter(Boolean).join(" ");
}

function pidsText(pids: readonly number[]): string {
  return pids.length <= 3 ? pids.join(",") : `${pids[0]}+${pids.length - 1}`;
}

/** `00400000-00401000` as in proc_pid_maps(5), from two addresses `0x400000` and `0x401000`. */
export function rangeText(start: string, end: string): string {
  return `${start.slice(2).padStart(8, "0")}-${end.slice(2).padStart(8, "0")}`;
}

const QUIET_FLAGS = new Set(["O_LARGEFILE"]);
const ACCESS: Readonly<Record<string, string>> = {
  O_RDONLY: "r",
  O_WRONLY: "w",
  O_RDWR: "rw",
  O_ACCMODE: "-",
};

const modes = new WeakMap<readonly string[], string>();

/** Open flags, abbreviated: `rw,append`. Many files share one list of flags. */
export function openMode(flags: readonly string[] | undefined): string {
  if (flags === undefined) return "";
  const known = modes.get(flags);
  if (known !== undefined) return known;
  const [access = "", ...others] = flags;
  const words = others
    .filter((flag) => !QUIET_FLAGS.has(flag))
    .map((flag) => flag.replace("O_", "").toLowerCase());
  const mode = [ACCESS[access] ?? access, ...words].join(",");
  modes.set(flags, mode);
  return mode;
}

/** Ascending numbers as ranges: `1-3,7`. */
export function numberRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/** A number and its unit are not broken across lines. */
const MEASURE = /(?<=\d) (?=(?:[KMGTPE]?i?B|d|h|min|m?s|us|ns)\b)/g;
const GLUE = "\u00a0";
const LEAST_ROOM = 20;

/** Text after a heading of `indent` columns, wrapped and indented; longer words are not broken. */
export function* wrapped(head: Line, text: string, indent: number, { width }: Look): Generator<Line> {
  const room = Math.max(LEAST_ROOM, (width ?? Number.POSITIVE_INFINITY) - indent);
  let lead = head;
  let line = "";
  for (const glued of escapeText(text).replace(MEASURE, GLUE).split(" ")) {
    const word = glued.replaceAll(GLUE, " ");
    if (line !== "" && line.length + 1 + word.length > room) {
      yield styled`${lead}${line}`;
      lead = " ".repeat(indent);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  yield styled`${lead}${line}`;
}
