import type { CriuImage, ImageRecord } from "../../../formats/criu/image.js";
import { EditError, UsageError } from "../../../io/errors.js";
import { ValueError } from "../../../schema/encode.js";
import { messageFromJson } from "../../../schema/from-json.js";
import { JsonError, JsonReader } from "../../../schema/json-reader.js";
import { type Field, fieldMessage, type MessageTable } from "../../../schema/message.js";
import { type FieldPath, formatPath } from "../../../schema/patch.js";
import { ABSENT, noFieldNamed, typedNumber } from "../field-value.js";
import type { Edit } from "../plan.js";
import type { SetRecords } from "./set-records.js";
import { valueAt } from "./value-at.js";

interface Target {
  readonly image: CriuImage;
  readonly record: ImageRecord;
  readonly path: FieldPath;
}

/** `IMAGE[RECORD].FIELD`. Errors: USAGE; EDIT for a field that the record cannot have. */
export function setField(editor: SetRecords, edit: Edit, place: string, value: string): void {
  const target = findTarget(editor, place);
  if (target === undefined) return;
  const { record, path } = target;
  if (path.length > 0) editor.change(edit, target, path, readValue(record, path, { place, value }));
  else if (value === ABSENT) editor.drop(edit, target);
  else throw noFieldNamed(place, Object.keys(record.table.fields));
}

/** Undefined when the image or the record is not there. Errors: USAGE, EDIT for a field that the record cannot have. */
function findTarget(editor: SetRecords, place: string): Target | undefined {
  const name = imageName(editor, place);
  const image = name === undefined ? undefined : editor.set.imageNamed(name.file);
  if (name === undefined || image === undefined) return undefined;
  if (image.header === undefined)
    throw new EditError("a raw image has no records", { file: image.source.name });
  const [, index, rest = ""] = /^(?:\[(\d+)\])?(?:\.(.*))?$/s.exec(name.rest) ?? [];
  if (index === undefined && rest === "" && name.rest !== "")
    throw new UsageError(`invalid ${JSON.stringify(place)} (expected IMAGE[RECORD].FIELD)`);
  const records = image.records();
  if (index === undefined && records.length > 1)
    throw new UsageError(`${name.file} has ${records.length} records; say which, as in ${name.file}[0]`);
  const record = records[Number(index ?? 0)];
  if (record === undefined || editor.isDropped(image, record)) return undefined;
  return { image, record, path: parseFieldPath(record.table, rest, place) };
}

/** The file that the text starts with, by its whole name or without `.img`; the longest one. */
function imageName(
  editor: SetRecords,
  place: string,
): { readonly file: string; readonly rest: string } | undefined {
  let best: { file: string; rest: string } | undefined;
  for (const { name, kind } of editor.set.files) {
    if (kind === undefined) continue;
    for (const spelling of [name, name.replace(/\.img$/, "")]) {
      const rest = place.slice(spelling.length);
      if (!place.startsWith(spelling) || !(rest === "" || rest.startsWith("[") || rest.startsWith(".")))
        continue;
      if (best === undefined || rest.length < best.rest.length) best = { file: name, rest };
    }
  }
  return best;
}

/** `tc.timers.posix[0].vsec` as a path, checked against the tables. */
function parseFieldPath(table: MessageTable, text: string, place: string): FieldPath {
  const path: (string | number)[] = [];
  let current: MessageTable | undefined = table;
  for (const part of text === "" ? [] : text.split(".")) {
    const [, name, index] = /^(\w+)(?:\[(\d+)\])?$/.exec(part) ?? [];
    if (name === undefined) throw new UsageError(`invalid field ${JSON.stringify(part)} in ${place}`);
    const field: Field | undefined = current?.fields[name];
    if (current === undefined) throw new EditError(`${place}: ${formatPath(path)} has no fields`);
    if (field === undefined)
      throw new EditError(
        `${current.name} has no field ${name}; it has ${Object.keys(current.fields).join(", ")}`,
      );
    path.push(name);
    if (index !== undefined) path.push(Number(index));
    if (index !== undefined && field.label !== "repeated")
      throw new EditError(`${name} is not a list (found [${index}])`);
    current = fieldMessage(current, field);
  }
  return path;
}

function readValue(
  record: ImageRecord,
  path: FieldPath,
  { place, value }: { readonly place: string; readonly value: string },
): unknown {
  if (value === ABSENT) {
    assertThere(record, path, place);
    return undefined;
  }
  const isElement = typeof path.at(-1) === "number";
  const name = path.at(isElement ? -2 : -1) as string;
  const owner = tableOf(record.table, path.slice(0, isElement ? -2 : -1));
  const field = owner.fields[name] as Field;
  const typed = isText(field) ? value : typedNumber(name, value, place);
  const json = isElement
    ? `[${jsonOf(field, typed)}]`
    : field.label === "repeated"
      ? listOf(field, typed)
      : jsonOf(field, typed);
  try {
    const message = messageFromJson(owner, new JsonReader(`{${JSON.stringify(name)}:${json}}`), {
      lax: false,
    });
    return isElement ? (message[name] as unknown[])[0] : message[name];
  } catch (error) {
    if (error instanceof ValueError || error instanceof JsonError)
      throw new UsageError(`invalid value ${JSON.stringify(value)} of ${name}: ${error.message}`, {
        path: place,
      });
    throw error;
  }
}

function isText({ type }: Field): boolean {
  return type === "string" || type === "bytes";
}

/** A list element is only taken away where there is one; a field that is absent already is no mistake. */
function assertThere(record: ImageRecord, path: FieldPath, place: string): void {
  if (typeof path.at(-1) === "number" && valueAt(record.value, path) === undefined)
    throw new EditError(`there is no ${place} that could be taken away`);
}

function tableOf(table: MessageTable, path: FieldPath): MessageTable {
  let current = table;
  for (const part of path)
    if (typeof part === "string")
      current = fieldMessage(current, current.fields[part] as Field) as MessageTable;
  return current;
}

/** The text of one value as JSON: text stays text, whatever it looks like; the rest may be JSON already. */
function jsonOf(field: Field, value: string): string {
  if (field.type === "string") return JSON.stringify(value);
  return /^(?:[[{"]|-?\d+$|true$|false$)/.test(value.trim()) ? value : JSON.stringify(value);
}

/** Lists come as JSON; addresses also as a person writes them. */
function listOf(field: Field, value: string): string {
  return value.trim().startsWith("[") ? value : `[${jsonOf(field, value)}]`;
}
