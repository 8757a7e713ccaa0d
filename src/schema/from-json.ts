import { MAX_MESSAGE_DEPTH } from "../io/limits.js";
import { fieldScalar } from "./decode.js";
import { ValueError } from "./encode.js";
import { parseAddress } from "./ip-address.js";
import { parseBase64, parseQuotedPrintable } from "./json-bytes.js";
import { enumValue, flagsValue, parseDev, parseInteger, parseOdev } from "./json-numbers.js";
import type { JsonReader } from "./json-reader.js";
import {
  type AnyValue,
  type Field,
  fieldMessage,
  type MessageTable,
  UNKNOWN,
  type UnknownField,
} from "./message.js";

export interface FromJsonOptions {
  /** Skip unknown keys instead of failing. */
  readonly lax: boolean;
  /** Reads the value of an extra key of the record beside its fields; false for other keys. */
  readonly otherKey?: (key: string) => boolean;
}

/** State of reading a record. */
interface Context {
  readonly json: JsonReader;
  readonly lax: boolean;
  /** Found a quoted 64-bit integer, as written by protojson: go-crit, not crit. */
  hasQuotedIntegers: boolean;
  /** Names of unix sockets, quoted-printable in crit and base64 in go-crit: decoded at the end of the record. */
  readonly unixNames: { readonly owner: AnyValue; readonly name: string; readonly text: string }[];
}

type FromJson = (context: Context, depth: number) => unknown;

interface FieldReader {
  readonly name: string;
  readonly read: (context: Context, into: AnyValue, depth: number) => void;
}

interface MessageReader {
  /** By the name of the field, and by its camelCase form, which protojson also writes. */
  readonly byKey: ReadonlyMap<string, FieldReader>;
  readonly repeated: readonly string[];
}

const compiled = new WeakMap<MessageTable, MessageReader>();

/**
 * Reads one message from JSON of crit (plain or pretty) or go-crit. Required fields and ranges of numbers are checked when
 * the value is encoded.
 * Errors: ValueError with the field's path for an invalid message, JsonError for invalid JSON.
 */
export function messageFromJson(table: MessageTable, json: JsonReader, options: FromJsonOptions): AnyValue {
  const context: Context = { json, lax: options.lax, hasQuotedIntegers: false, unixNames: [] };
  const value = readMessage(table, context, 0, options.otherKey);
  for (const { owner, name, text } of context.unixNames)
    owner[name] = inField(name, () =>
      context.hasQuotedIntegers ? parseBase64(text) : parseQuotedPrintable(text),
    );
  return value;
}

function readMessage(
  table: MessageTable,
  context: Context,
  depth: number,
  otherKey?: FromJsonOptions["otherKey"],
): AnyValue {
  const { json } = context;
  if (depth > MAX_MESSAGE_DEPTH)
    throw new ValueError(`messages are nested too deep (expected at most ${MAX_MESSAGE_DEPTH} levels)`);
  expectKind(json, "object", `a ${table.name}`);
  const { byKey, repeated } = readerOf(table);
  const value: AnyValue = {};
  for (let more = json.open("{"); more; more = json.more("}")) {
    const key = json.key();
    const field = byKey.get(key);
    if (field !== undefined) {
      if (value[field.name] !== undefined) throw new ValueError("duplicate key").within(key);
      field.read(context, value, depth);
    } else if (key === UNKNOWN) {
      if (value[UNKNOWN] !== undefined) throw new ValueError("duplicate key").within(key);
      value[UNKNOWN] = inField(UNKNOWN, () => readUnknown(context));
    } else if (otherKey?.(key) !== true) {
      if (!context.lax) throw unknownKey(table, key);
      json.skip();
    }
  }
  for (const name of repeated) value[name] ??= [];
  return value;
}

function unknownKey(table: MessageTable, key: string): ValueError {
  const names = Object.keys(table.fields).join(", ");
  return new ValueError(`unknown field ${JSON.stringify(key)} of ${table.name} (expected ${names})`).within(
    key,
  );
}

function readerOf(table: MessageTable): MessageReader {
  let reader = compiled.get(table);
  if (reader === undefined) {
    const byKey = new Map<string, FieldReader>();
    const repeated: string[] = [];
    for (const [name, field] of Object.entries(table.fields)) {
      const read =
        field.label === "repeated" ? listReader(table, name, field) : singleReader(table, name, field);
      byKey.set(name, { name, read });
      byKey.set(camelCase(name), { name, read });
      if (field.label === "repeated") repeated.push(name);
    }
    reader = { byKey, repeated };
    compiled.set(table, reader);
  }
  return reader;
}

/** The JSON name that protobuf derives from a field's name. */
function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function singleReader(owner: MessageTable, name: string, field: Field): FieldReader["read"] {
  if (field.show?.as === "unix-name")
    return ({ json, unixNames }, into) => {
      into[name] = EMPTY;
      unixNames.push({ owner: into, name, text: inField(name, () => text(json)) });
    };
  const read = valueReader(owner, field);
  return (context, into, depth) => {
    try {
      into[name] = read(context, depth);
    } catch (error) {
      throw error instanceof ValueError ? error.within(name) : error;
    }
  };
}

const EMPTY = Buffer.alloc(0);

function listReader(owner: MessageTable, name: string, field: Field): FieldReader["read"] {
  const read = valueReader(owner, field);
  const isAddress = field.show?.as === "ip";
  return (context, into, depth) => {
    const { json } = context;
    const list: unknown[] = [];
    into[name] = list;
    inField(name, () => expectKind(json, "array", "a list"));
    for (let more = json.open("["); more; more = json.more("]")) {
      const index = list.length;
      inField(`${name}[${index}]`, () => {
        if (isAddress && json.kind() === "string") list.push(...addressOrNumber(json.string()));
        else list.push(read(context, depth));
      });
    }
  };
}

/** Quoted decimal words are not an address. */
function addressOrNumber(text: string): readonly (number | bigint)[] {
  const words = parseAddress(text);
  if (words !== undefined) return words;
  return [toNumber(parseInteger(text))];
}

function valueReader(owner: MessageTable, field: Field): FromJson {
  const nested = fieldMessage(owner, field);
  if (nested !== undefined) return (context, depth) => readMessage(nested, context, depth + 1);
  const { show, type } = field;
  if (typeof type === "object" && type.kind === "enum")
    return ({ json }) => (json.kind() === "string" ? enumValue(type, json.string()) : integer(json));
  const fromText = numberFromText(field);
  switch (fieldScalar(field)) {
    case "string":
      return ({ json }) => text(json);
    case "bytes":
      return ({ json }) => base64FromJson(json);
    case "bool":
      return ({ json }) => {
        expectKind(json, "boolean", "true or false");
        return json.boolean();
      };
    case "uint64":
    case "int64":
    case "sint64":
    case "fixed64":
      return (context) => {
        const { json } = context;
        if (json.kind() !== "string") return BigInt(integer(json));
        const quoted = json.string();
        if (show === undefined && /^-?\d+$/.test(quoted)) context.hasQuotedIntegers = true;
        return fromText(quoted);
      };
    default:
      return ({ json }) => (json.kind() === "string" ? toNumber(fromText(json.string())) : integer(json));
  }
}

/** The number of a field from text: by its display hint, or as a plain integer. */
function numberFromText({ show }: Field): (text: string) => bigint {
  switch (show?.as) {
    case "flags":
      return (text) => flagsValue(show.table, text);
    case "names":
      return (text) => BigInt(enumValue(show.table, text, show.table.critNames));
    case "dev":
      return parseDev;
    case "odev":
      return parseOdev;
    default:
      return parseInteger;
  }
}

function text(json: JsonReader): string {
  expectKind(json, "string", "text");
  return json.string();
}

function integer(json: JsonReader): number | bigint {
  expectKind(json, "number", "an integer");
  return json.integer();
}

/** For fields of up to 32 bits. Larger values stay exact, and are rejected when the value is encoded. */
function toNumber(value: bigint): number | bigint {
  return BigInt.asIntN(53, value) === value ? Number(value) : value;
}

function expectKind(json: JsonReader, kind: ReturnType<JsonReader["kind"]>, wanted: string): void {
  const found = json.kind();
  if (found === kind || found === "end") return;
  throw new ValueError(`invalid value: ${FOUND[found]} (expected ${wanted})`);
}

const FOUND = {
  object: "an object",
  array: "a list",
  string: "text",
  number: "a number",
  boolean: "true or false",
  null: "null",
} as const;

function readUnknown({ json }: Context): UnknownField[] {
  const list: UnknownField[] = [];
  expectKind(json, "array", "a list");
  for (let more = json.open("["); more; more = json.more("]")) {
    const members: Record<string, unknown> = {};
    expectKind(json, "object", "an unknown field");
    for (let inside = json.open("{"); inside; inside = json.more("}")) {
      const key = json.key();
      members[key] = key === "data" ? parseBase64(text(json)) : integer(json);
    }
    list.push(unknownField(members));
  }
  return list;
}

function unknownField({ number, wire_type, data, ...others }: Record<string, unknown>): UnknownField {
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new ValueError(`unexpected key ${JSON.stringify(other)} of an unknown field`);
  const isNumber = typeof number === "number" && number >= 1 && number <= MAX_FIELD_NUMBER;
  const isWireType = wire_type === 0 || wire_type === 1 || wire_type === 2 || wire_type === 5;
  if (!isNumber || !isWireType || !Buffer.isBuffer(data))
    throw new ValueError(
      `invalid unknown field (expected {"number": 1 to ${MAX_FIELD_NUMBER}, "wire_type": 0, 1, 2 or 5, "data": base64})`,
    );
  return { number, wireType: wire_type, data };
}

const MAX_FIELD_NUMBER = 2 ** 29 - 1;

/** A value of bytes. Errors: ValueError for invalid base64. */
export function base64FromJson(json: JsonReader): Buffer {
  return parseBase64(text(json));
}

/** Adds the name of a field before the path of a ValueError of `read`. */
export function inField<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ValueError ? error.within(name) : error;
  }
}
