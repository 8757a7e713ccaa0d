import { EditError } from "../../../io/errors.js";
import { bytesToText } from "../../../io/text.js";
import { formatAddress } from "../../../schema/ip-address.js";
import { type AnyValue, type Field, fieldMessage, type MessageTable } from "../../../schema/message.js";
import { type FieldPath, formatPath } from "../../../schema/patch.js";

/** The value at a path of a decoded message; undefined where nothing is. */
export function valueAt(message: AnyValue, path: FieldPath): unknown {
  let value: unknown = message;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** The field that a path ends at, of a list element the list's; undefined where there is none. */
export function fieldAt(table: MessageTable, path: FieldPath): Field | undefined {
  let current: MessageTable | undefined = table;
  let field: Field | undefined;
  for (const part of path) {
    if (typeof part === "number") continue;
    field = current?.fields[part];
    current = current === undefined || field === undefined ? undefined : fieldMessage(current, field);
  }
  return field;
}

/** A value as a person reads it: an address or a socket name as text, the rest as it is. */
export function shownValue(field: Field | undefined, value: unknown): unknown {
  if (field?.show?.as === "ip" && Array.isArray(value)) return formatAddress(value as number[]);
  if (field?.show?.as !== "unix-name" || !Buffer.isBuffer(value)) return value;
  if (value[0] === 0) return `@${bytesToText(value.subarray(1))}`;
  return bytesToText(value.at(-1) === 0 ? value.subarray(0, -1) : value);
}

/** Messages and lists that edits have made. All others stay as they are: equal messages of an image may be one object. */
const own = new WeakSet<object>();

function owned<T extends object>(value: T): T {
  if (own.has(value)) return value;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as T;
  own.add(copy);
  return copy;
}

/**
 * Does to a decoded message what `patchMessage` does to its bytes: sets the field or list element at a path, appends
 * at the list's length, takes away for undefined, and makes the messages around it that are absent. Messages inside it are copied first.
 */
export function withValueAt(table: MessageTable, message: AnyValue, path: FieldPath, value: unknown): void {
  const [name, index] = path;
  const field = typeof name === "string" ? table.fields[name] : undefined;
  if (typeof name !== "string" || field === undefined)
    throw new EditError(`${table.name} has no field ${String(name)}`);
  const inner = fieldMessage(table, field);
  if (path.length === 1) {
    if (value !== undefined) message[name] = value;
    else if (field.label === "repeated") message[name] = [];
    else delete message[name];
    return;
  }
  if (field.label !== "repeated") {
    const nested = owned((message[name] as AnyValue | undefined) ?? emptyMessage(innerTable(inner, path)));
    message[name] = nested;
    withValueAt(innerTable(inner, path), nested, path.slice(1), value);
    return;
  }
  const list = (message[name] ?? []) as unknown[];
  const at = index as number;
  if (path.length > 2) {
    const elements = owned(list);
    const element = owned((list[at] as AnyValue | undefined) ?? emptyMessage(innerTable(inner, path)));
    message[name] = elements;
    elements[at] = element;
    withValueAt(innerTable(inner, path), element, path.slice(2), value);
  } else message[name] = value === undefined ? list.toSpliced(at, 1) : listWith(list, at, value);
}

/** A new list: the old one may be on record as what stood there before. */
function listWith(list: readonly unknown[], at: number, value: unknown): unknown[] {
  return at < list.length ? list.with(at, value) : [...list, value];
}

function innerTable(table: MessageTable | undefined, path: FieldPath): MessageTable {
  if (table === undefined) throw new EditError(`${formatPath(path)}: the field has no fields`);
  return table;
}

function emptyMessage(table: MessageTable): AnyValue {
  const value: AnyValue = {};
  for (const [name, field] of Object.entries(table.fields)) if (field.label === "repeated") value[name] = [];
  return value;
}
