import type { CriuImage, ImageRecord } from "../../../formats/criu/image.js";
import { EditError, UsageError } from "../../../io/errors.js";
import { ValueError } from "../../../schema/encode.js";
import { messageFromJson } from "../../../schema/from-json.js";
import { JsonError, JsonReader } from "../../../schema/json-reader.js";
import { type Field, fieldMessage, type MessageTable } from "../../../schema/message.js";
import { type FieldPath, formatPath } from "../../../schema/patch.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import { valueAt } from "../value-at.js";

export interface SetEdit {
  /** IMAGE[RECORD].FIELD */
  readonly place: string;
  readonly value: string;
}

interface Target {
  readonly image: CriuImage;
  readonly record: ImageRecord;
  readonly path: FieldPath;
}

/** Takes a field, a list element or a whole record away. */
const ABSENT = "absent";

/** `--set IMAGE[RECORD].FIELD=VALUE`: any field there is. */
export const set: EditKind<SetEdit, Draft> = {
  name: "set",
  syntax: "IMAGE[RECORD].FIELD=VALUE",
  summary:
    "any field: a number, text, names of flags, JSON for messages and lists, or absent to take it away",
  parse(text) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`${JSON.stringify(text)} is not IMAGE[RECORD].FIELD=VALUE`);
    return { place: text.slice(0, at), value: text.slice(at + 1) };
  },
  lookedFor: ({ place }) => `there is no ${place}`,
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const target = findTarget(draft, args.place);
      if (target === undefined) continue;
      const { image, record, path } = target;
      if (path.length > 0) draft.change(edit, image, record, path, readValue(record, path, args));
      else if (args.value === ABSENT) draft.drop(edit, image, record);
      else
        throw new UsageError(
          `name a field behind ${args.place}, as in ${args.place}.${Object.keys(record.table.fields)[0]}`,
        );
    }
  },
};

/** Undefined when the image or the record is not there. Errors: USAGE, EDIT for a field that the record cannot have. */
function findTarget(draft: Draft, place: string): Target | undefined {
  const name = imageName(draft, place);
  const image = name === undefined ? undefined : draft.set.imageNamed(name.file);
  if (name === undefined || image === undefined) return undefined;
  if (image.header === undefined)
    throw new EditError("a raw image has no records", { file: image.source.name });
  const [, index, rest = ""] = /^(?:\[(\d+)\])?(?:\.(.*))?$/s.exec(name.rest) ?? [];
  if (index === undefined && rest === "" && name.rest !== "")
    throw new UsageError(`${JSON.stringify(place)} is not IMAGE[RECORD].FIELD`);
  const records = image.records();
  if (index === undefined && records.length > 1)
    throw new UsageError(`${name.file} has ${records.length} records; say which, as in ${name.file}[0]`);
  const record = records[Number(index ?? 0)];
  if (record === undefined || draft.isDropped(image, record)) return undefined;
  return { image, record, path: parseFieldPath(record.table, rest, place) };
}

/** The file that the text starts with, by its whole name or without `.img`; the longest one. */
function imageName(
  draft: Draft,
  place: string,
): { readonly file: string; readonly rest: string } | undefined {
  let best: { file: string; rest: string } | undefined;
  for (const { name, kind } of draft.set.files) {
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

function readValue(record: ImageRecord, path: FieldPath, { place, value }: SetEdit): unknown {
  if (value === ABSENT) {
    assertThere(record, path, place);
    return undefined;
  }
  const isElement = typeof path.at(-1) === "number";
  const name = path.at(isElement ? -2 : -1) as string;
  const owner = tableOf(record.table, path.slice(0, isElement ? -2 : -1));
  const field = owner.fields[name] as Field;
  const json = isElement
    ? `[${jsonOf(field, value)}]`
    : field.label === "repeated"
      ? listOf(field, value)
      : jsonOf(field, value);
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
