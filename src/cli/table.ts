import Table from "cli-table3";
import { strlen } from "cli-table3/src/utils.js";
import { escapeText } from "./escape.js";
import { type Line, rendered, Styled } from "./line.js";
import type { Role, Style } from "./style.js";

/** One cell: text as stored in the image (it is escaped here), with a role to colour it. */
export type Cell = string | number | bigint | { readonly text: string; readonly role: Role };

export interface Column {
  /** Column name, in UPPERCASE. */
  readonly head: string;
  readonly align?: "left" | "right";
  /** Shorten the start (paths, and the middle of a long last name) or end (prose) if the terminal is too narrow. */
  readonly cut?: Cut;
  /** Shorten to no fewer columns than this. */
  readonly min?: number;
}

type Cut = "start" | "end";

export interface TableOptions {
  readonly style: Style;
  /** Columns of the terminal; if undefined, nothing is cut. */
  readonly width?: number | undefined;
}

const GAP = "  ";
const MIN_CUT_WIDTH = 8;
/** One column each: what is printable in ASCII, and the ellipsis of what was cut. */
const PLAIN = /^[ -~\u2026]*$/;

/** cli-table3 is quadratic in the rows (20,000: half a minute), so it gets a screenful at a time. */
const CLI_TABLE_ROWS = 100;

/** And it takes a millisecond a row: a view of 4,000 small tables is written without it after some screens. */
let cliTableRowsLeft = 2000;

/** No borders; columns are separated by two blanks. */
const NO_BORDERS = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "" },
  middle: GAP,
};

/** Rows may be generated at each iteration: once for the widths, once for the lines. */
export interface Rows extends Iterable<readonly Cell[]> {
  readonly length: number;
}

/** The rows of a list of objects, made while they are printed. */
export function rowsOf<T>(
  list: Iterable<T> & { readonly length: number },
  row: (item: T) => readonly Cell[],
): Rows {
  return {
    length: list.length,
    *[Symbol.iterator]() {
      for (const item of list) yield row(item);
    },
  };
}

/** The lines of a table: UPPERCASE heads, no borders, aligned columns that fit `width`, no trailing blanks. */
export function* tableLines(
  columns: readonly Column[],
  rows: Rows,
  { style, width }: TableOptions,
): Generator<Styled> {
  const widths = fit(columns, naturalWidths(columns, rows), width);
  const heads = columns.map(({ head }) => ({ text: head, role: "heading" as const }));
  cliTableRowsLeft -= rows.length;
  if (rows.length > CLI_TABLE_ROWS || cliTableRowsLeft < 0) {
    yield paddedLine(columns, widths, heads, style);
    for (const row of rows) yield paddedLine(columns, widths, row, style);
    return;
  }
  const shown = (row: readonly Cell[]): string[] =>
    columns.map(({ cut }, at) => {
      const cell = row[at] ?? "";
      return rendered(painted(cutTo(cellText(cell), widths[at] as number, cut), cell, style));
    });
  yield* smallTable(columns, widths, [heads, ...rows].map(shown));
}

/** Display width of a text: wide characters count two, combining ones zero. */
export function displayWidth(text: string): number {
  return PLAIN.test(text) ? text.length : strlen(text);
}

function cellText(cell: Cell): string {
  if (typeof cell === "string") return escapeText(cell);
  return typeof cell === "object" ? escapeText(cell.text) : cell.toString();
}

function painted(text: string, cell: Cell, style: Style): Line {
  return typeof cell === "object" ? style(cell.role, text) : text;
}

function naturalWidths(columns: readonly Column[], rows: Rows): number[] {
  const widths = columns.map(({ head }) => displayWidth(head));
  for (const row of rows)
    for (let at = 0; at < widths.length; at++) {
      const width = displayWidth(cellText(row[at] ?? ""));
      if (width > (widths[at] as number)) widths[at] = width;
    }
  return widths;
}

/** Shrinks the widest columns that may be cut until the row fits, if possible. */
function fit(columns: readonly Column[], natural: readonly number[], width: number | undefined): number[] {
  const widths = [...natural];
  if (width === undefined) return widths;
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
  const floor = (at: number): number =>
    Math.max(columns[at]?.min ?? MIN_CUT_WIDTH, displayWidth(columns[at]?.head ?? ""));
  while (excess > 0) {
    const able = widths.flatMap((each, at) => (columns[at]?.cut && each > floor(at) ? [at] : []));
    const widest = able.reduce(
      (best, at) => ((widths[at] as number) > (widths[best] as number) ? at : best),
      able[0] ?? -1,
    );
    if (widest === -1) break;
    const next = Math.max(
      floor(widest),
      ...able.filter((at) => at !== widest).map((at) => widths[at] as number),
    );
    const level = Math.min(next, (widths[widest] as number) - 1);
    const take = Math.min(excess, (widths[widest] as number) - level);
    widths[widest] = (widths[widest] as number) - take;
    excess -= take;
  }
  return widths;
}

function cutTo(text: string, width: number, cut: Cut | undefined): string {
  if (cut === undefined || displayWidth(text) <= width) return text;
  const slash = text.lastIndexOf("/");
  const name = text.slice(slash + 1);
  if (cut === "start" && slash >= 0 && displayWidth(name) > width - 1 && width >= 2 * MIN_CUT_WIDTH) {
    const head = Math.ceil(width / 2);
    return `${shortened(name, head, "end")}${shortened(name, width - head + 1, "start").slice(1)}`;
  }
  return shortened(text, width, cut);
}

/** At most `width` columns of a longer text, the ellipsis among them. */
function shortened(text: string, width: number, cut: Cut): string {
  if (PLAIN.test(text)) return cut === "start" ? `…${text.slice(1 - width)}` : `${text.slice(0, width - 1)}…`;
  const chars = cut === "start" ? [...text].reverse() : [...text];
  const kept: string[] = [];
  let used = 1;
  for (const char of chars) {
    used += displayWidth(char);
    if (used > width) break;
    kept.push(char);
  }
  return cut === "start" ? `…${kept.reverse().join("")}` : `${kept.join("")}…`;
}

function smallTable(columns: readonly Column[], widths: readonly number[], rows: string[][]): Styled[] {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
    colAligns: columns.map(({ align }) => align ?? "left"),
    colWidths: [...widths],
  });
  table.push(...rows);
  return table
    .toString()
    .split("\n")
    .map((each) => Styled.assured(each.trimEnd()));
}

/** Long tables are generated line by line, keeping nothing. */
function paddedLine(
  columns: readonly Column[],
  widths: readonly number[],
  row: readonly Cell[],
  style: Style,
): Styled {
  let text = "";
  for (let at = 0; at < columns.length; at++) {
    const { align, cut } = columns[at] as Column;
    const cell = row[at] ?? "";
    const width = widths[at] as number;
    const shown = cutTo(cellText(cell), width, cut);
    const blanks = " ".repeat(Math.max(0, width - displayWidth(shown)));
    const styled = rendered(painted(shown, cell, style));
    text += align === "right" ? blanks + styled : styled + blanks;
    if (at < columns.length - 1) text += GAP;
  }
  return Styled.assured(text.trimEnd());
}
