import { MAX_RECORD_ELEMENTS } from "../../../src/io/limits.js";
import { fieldScalar } from "../../../src/schema/decode.js";
import { encodeMessage } from "../../../src/schema/encode.js";
import { type AnyValue, type Field, fieldMessage, type MessageTable } from "../../../src/schema/message.js";

/** Bytes of one hostile image: as many as a real one of 50,000 objects has. */
export const FILLED_BYTES = 4 * 1024 * 1024;
/** Lists are filled up to this many elements, below the limit of a record. */
const MOST_ELEMENTS = MAX_RECORD_ELEMENTS - 1024;
const MAX_DEPTH = 4;

/** Fields by which records name one another or themselves: those count up. */
const ID = /^(id|ino|fd|tfd|wd|pid|key|shmid|start|vaddr|index|ifindex|it_id|mnt_id|inode_id|dir_name|name)$/;

/** A message with all that it must have, its ids those of the n-th of its kind. */
export function sampleOf(table: MessageTable, nth: number, depth = 0): AnyValue {
  const value: AnyValue = {};
  for (const [name, field] of Object.entries(table.fields)) {
    if (field.label === "repeated") value[name] = [];
    else if (field.label === "required" || ID.test(name)) value[name] = one(table, name, field, nth, depth);
  }
  return value;
}

function one(owner: MessageTable, name: string, field: Field, nth: number, depth: number): unknown {
  const nested = fieldMessage(owner, field);
  if (nested !== undefined) return depth < MAX_DEPTH ? sampleOf(nested, nth, depth + 1) : undefined;
  if (typeof field.type === "object" && field.type.kind === "enum") return [...field.type.values.values()][0];
  const number = ID.test(name) ? nth : 1;
  switch (fieldScalar(field)) {
    case "string":
      return `/x${ID.test(name) ? nth : ""}`;
    case "bytes":
      return Buffer.from("x");
    case "bool":
      return true;
    case "uint64":
    case "int64":
    case "sint64":
    case "fixed64":
      return BigInt(number);
    default:
      return number;
  }
}

/** The same message with the ids of the n-th of its kind; what it has no id for stays. */
export function numbered(table: MessageTable, value: AnyValue, nth: number): AnyValue {
  const ids = Object.entries(table.fields).filter(
    ([name, field]) =>
      ID.test(name) && field.label !== "repeated" && fieldMessage(table, field) === undefined,
  );
  return {
    ...value,
    ...Object.fromEntries(
      ids.filter(([name]) => name in value).map(([name, field]) => [name, one(table, name, field, nth, 0)]),
    ),
  };
}

/** A message in which one field, at whatever depth, is filled. */
export interface Filled {
  /** Names from the message down to the field. */
  readonly path: readonly string[];
  readonly value: AnyValue;
}

/** The message once for each of its lists, with as many elements as fit, and for each text, as long as fits. */
export function* filledFields(table: MessageTable, value: AnyValue, depth = 0): Generator<Filled> {
  for (const [name, field] of Object.entries(table.fields)) {
    const nested = fieldMessage(table, field);
    const isList = field.label === "repeated";
    if (isList) yield { path: [name], value: { ...value, [name]: fullList(table, name, field, value) } };
    else if (isText(field)) yield { path: [name], value: { ...value, [name]: fullText(field) } };
    if (nested === undefined || nested === table || depth >= MAX_DEPTH) continue;
    const inner = isList ? (value[name] as AnyValue[])[0] : (value[name] as AnyValue | undefined);
    for (const each of filledFields(nested, inner ?? sampleOf(nested, 1), depth + 1))
      yield {
        path: [name, ...each.path],
        value: { ...value, [name]: isList ? [each.value] : each.value },
      };
  }
}

function isText(field: Field): boolean {
  const scalar = fieldScalar(field);
  return scalar === "string" || scalar === "bytes";
}

function fullText(field: Field): string | Buffer {
  const text = `/${"x".repeat(FILLED_BYTES)}`;
  return fieldScalar(field) === "string" ? text : Buffer.from(text);
}

function fullList(owner: MessageTable, name: string, field: Field, value: AnyValue): unknown[] {
  const nested = fieldMessage(owner, field);
  const first = (value[name] as AnyValue[])[0];
  const element = (nth: number): unknown =>
    nested === undefined
      ? one(owner, name, field, nth, 0)
      : first === undefined
        ? sampleOf(nested, nth, 1)
        : numbered(nested, first, nth);
  const bytes = nested === undefined ? 4 : encodeMessage(nested, element(MOST_ELEMENTS) as never).length + 3;
  const count = Math.min(MOST_ELEMENTS, Math.floor(FILLED_BYTES / bytes));
  return Array.from({ length: count }, (_, nth) => element(nth));
}
