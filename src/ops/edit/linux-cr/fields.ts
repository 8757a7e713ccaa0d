import { EditError, UsageError } from "../../../io/errors.js";
import type { StructField, StructTable } from "../../../schema/struct.js";
import { ABSENT, noFieldNamed, typedNumber } from "../field-value.js";
import type { Edit } from "../plan.js";
import type { StreamRecords } from "./stream-records.js";
import { structValueAt } from "./struct-path.js";

/** `[RECORD].FIELD`, the name of the stream's file may stand before it: any field, text or payload. Errors: USAGE, EDIT. */
export function setField(editor: StreamRecords, edit: Edit, place: string, value: string): void {
  const [, name = "", number, field] = /^(.*?)\[(\d+)\](?:\.(.+))?$/s.exec(place) ?? [];
  if (number === undefined)
    throw new UsageError(`invalid ${JSON.stringify(place)} (expected [RECORD].FIELD)`);
  const { image } = editor;
  const index = Number(number);
  const isThisStream = ["", editor.name, editor.name.replace(/\.[^.]*$/, "")].includes(name);
  if (!isThisStream || index >= image.length || editor.isDropped(index)) return;
  const kind = image.kind(index);
  const table = image.layout(index);
  if (field === undefined) {
    if (value !== ABSENT) throw noFieldNamed(place, fieldNames(table));
    editor.drop(edit, index);
  } else if (field === "text" && (kind?.payload === "text" || kind?.payload === "path"))
    editor.setText(edit, index, value);
  else if (field === "payload" && kind?.payload !== undefined)
    editor.setPayload(edit, index, bytesOf(value, place), "payload");
  else {
    const before = structValueAt(editor.fields(index), field);
    const own = table && fieldAt(table, field);
    if (own === undefined || before === undefined)
      throw new EditError(
        `${image.label(index)} has no field ${field}; it has ${[...fieldNames(table), ...(kind?.payload === undefined ? [] : ["payload"])].join(", ")}`,
        image.place(index),
      );
    editor.change(edit, index, field, readValue(own, before, value, place));
  }
}

function fieldNames(table: StructTable | undefined): string[] {
  return table === undefined ? [] : Object.keys(table.fields);
}

function fieldAt(table: StructTable, path: string): StructField | undefined {
  let current: StructTable | undefined = table;
  let field: StructField | undefined;
  for (const part of path.split(".")) {
    field = current?.fields[part.replace(/\[\d+\]$/, "")];
    current = typeof field?.type === "object" ? field.type : undefined;
  }
  return field;
}

/** A value as the one it takes the place of: a number in any base, a name, text, bytes as hexadecimal, a JSON list. */
function readValue(field: StructField, before: unknown, value: string, place: string): unknown {
  if (typeof before === "string") return value;
  if (Buffer.isBuffer(before)) {
    const bytes = bytesOf(value, place);
    if (bytes.length !== before.length)
      throw new UsageError(`invalid value of ${bytes.length} bytes (expected ${before.length})`, {
        path: place,
      });
    return bytes;
  }
  if (Array.isArray(before)) {
    const items = value
      .replace(/^\[|\]$/g, "")
      .split(",")
      .filter((item) => item.trim() !== "");
    if (items.length !== before.length || typeof before[0] === "object")
      throw new UsageError(`invalid list ${JSON.stringify(value)} (expected ${before.length} numbers)`, {
        path: place,
      });
    return items.map((item, i) => numberOf(field, before[i], item, place));
  }
  if (typeof before === "object")
    throw new UsageError(`name a field inside: ${Object.keys(before as object).join(", ")}`, { path: place });
  return numberOf(field, before, value, place);
}

function numberOf({ names }: StructField, before: unknown, value: string, place: string): number | bigint {
  const named = names?.values.get(value);
  const text = named === undefined ? typedNumber(nameOf(place), value, place).trim() : "";
  if (named === undefined && !/^(?:-?\d+|0x[\da-f]+|0o[0-7]+)$/i.test(text))
    throw new UsageError(`invalid number ${JSON.stringify(value)}`, { path: place });
  const number = named === undefined ? BigInt(text) : BigInt(named);
  return typeof before === "bigint" ? number : Number(number);
}

/** The last name of a place: `mode` of `INODE[3].perm.mode`. */
function nameOf(place: string): string {
  return place.slice(place.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");
}

function bytesOf(text: string, place: string): Buffer {
  if (!/^(?:[\da-f]{2})*$/i.test(text))
    throw new UsageError(`invalid bytes ${JSON.stringify(text)} (expected hexadecimal)`, { path: place });
  return Buffer.from(text, "hex");
}
