import type { RecordView } from "../../index.js";
import { type Line, styled } from "../line.js";
import { type Column, rowsOf, tableLines } from "../table.js";
import { plural } from "../units.js";
import type { Look } from "./words.js";

type ShownRecord = RecordView["records"] extends Iterable<infer R> ? R : never;
type RecordField = ShownRecord["fields"] extends Iterable<infer F> ? F : never;

const COLUMNS: readonly Column[] = [{ head: "FIELD" }, { head: "VALUE", cut: "end" }];
const DOC_COLUMN: Column = { head: "MEANING", cut: "end" };

/** `crimg show IMG record NAME` */
export function* recordLines(view: RecordView, look: Look): Generator<Line> {
  const { image, kind, about, records } = view;
  yield styled`${look.style("heading", image)}  ${kind}: ${about}`;
  for (const { index, message, offset, size, fields, payload } of records) {
    yield "";
    yield styled`${look.style("name", `[${index}]`)} ${message}, ${plural(size, "byte")} at ${offset}`;
    const hasDocs = someHasDoc(fields);
    const rows = rowsOf(fields, ({ path, doc, ...field }) => [path, valueText(field), doc ?? ""]);
    if (rows.length > 0) yield* tableLines(hasDocs ? [...COLUMNS, DOC_COLUMN] : COLUMNS, rows, look);
    for (const part of payload) yield `${part.name}: ${plural(part.size, "byte")} at ${part.offset}`;
  }
}

function someHasDoc(fields: Iterable<RecordField>): boolean {
  for (const { doc } of fields) if (doc !== undefined) return true;
  return false;
}

function valueText({ text, value }: Pick<RecordField, "text" | "value">): string {
  return text ?? (typeof value === "string" ? value : String(value));
}
