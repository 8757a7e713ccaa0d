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
  /** Skip keys that the message does not have, instead of refusing them. */
  readonly lax: boolean;
  /** Reads the value of a key of the record itself that stands beside its fields; false for keys it does not want. */
  readonly otherKey?: (key: string) => boolean;
}

/** What is known about the record that is being read. */
interface Context {
  readonly json: JsonReader;
  readonly lax: boolean;
  /** A 64-bit integer stood in quotes: protojson's habit, by which go-crit's JSON is told from crit's. */
  hasQuotedIntegers: boolean;
  /** Names of unix sockets, which crit gives as quoted-printable and go-crit as base64: settled at the record's end. */
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
 * Reads one message from JSON in the shape of crit (plain or pretty) or go-crit. Required fields and ranges of numbers
 * are checked when the value is encoded.
 * Errors: ValueError with the field's path for what is no such message, JsonError for what is no JSON.
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
  if (depth > MAX_MESSAGE_DEPTH) throw new ValueError(`messages nest deeper than ${MAX_MESSAGE_DEPTH}`);
  expectKind(json, "object", `a ${table.name}`);
  const { byKey, repeated } = readerOf(table);
  const value: AnyValue = {};
  for (let more = json.open("{"); more; more = json.more("}")) {
    const key = json.key();
    const field = byKey.get(key);
    if (field !== undefined) {
      if (value[field.name] !== undefined) throw new ValueError("the key occurs twice").within(key);
      field.read(context, value, depth);
    } else if (key === UNKNOWN) {
      if (value[UNKNOWN] !== undefined) throw new ValueError("the key occurs twice").within(key);
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
  return new ValueError(`${table.name} has no field ${JSON.stringify(key)}; it has ${names}`).within(key);
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

/** Decimal words in quotes are no address, though `1` would be no good IPv4 address either. */
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

/** How text stands for the number of a field: as its hint shows it, or as a plain integer. */
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

/** For fields of up to 32 bits. What is larger stays exact, and is refused when the value is encoded. */
function toNumber(value: bigint): number | bigint {
  return BigInt.asIntN(53, value) === value ? Number(value) : value;
}

function expectKind(json: JsonReader, kind: ReturnType<JsonReader["kind"]>, wanted: string): void {
  const found = json.kind();
  if (found === kind || found === "end") return;
  throw new ValueError(`${FOUND[found]} found, ${wanted} was expected`);
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
  if (other !== undefined) throw new ValueError(`an unknown field has no key ${JSON.stringify(other)}`);
  const isNumber = typeof number === "number" && number >= 1 && number <= MAX_FIELD_NUMBER;
  const isWireType = wire_type === 0 || wire_type === 1 || wire_type === 2 || wire_type === 5;
  if (!isNumber || !isWireType || !Buffer.isBuffer(data))
    throw new ValueError(
      `an unknown field is {"number": 1 to ${MAX_FIELD_NUMBER}, "wire_type": 0, 1, 2 or 5, "data": base64}`,
    );
  return { number, wireType: wire_type, data };
}

const MAX_FIELD_NUMBER = 2 ** 29 - 1;

/** A value of bytes. Errors: ValueError for what is no base64 text. */
export function base64FromJson(json: JsonReader): Buffer {
  return parseBase64(text(json));
}

/** Puts the name of a field in front of the path of a ValueError that `read` throws. */
export function inField<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ValueError ? error.within(name) : error;
  }
}
