import {
  type Dialect,
  idOf,
  type Layout,
  layoutOf,
  type RecordKind,
} from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { HEADER_BYTES } from "../../formats/linux-cr/scan.js";
import type { ByteOrder } from "../../io/byte-order.js";
import type { ErrorPlace } from "../../io/errors.js";
import { MAX_RECORD_BYTES } from "../../io/limits.js";
import { textToBytes } from "../../io/text.js";
import { ValueError } from "../../schema/encode.js";
import { inField } from "../../schema/from-json.js";
import { parseBase64 } from "../../schema/json-bytes.js";
import { type JsonObject, type JsonValue, jsonList, jsonObject, jsonText } from "../../schema/json-value.js";
import type { StructTable, StructValue } from "../../schema/struct.js";
import { numberFromJson, structFromJson, textWithBytes } from "../../schema/struct-from-json.js";
import { readStruct } from "../../schema/struct-reader.js";
import { writeStruct } from "../../schema/struct-writer.js";
import { elementTable } from "./stream-elements.js";
import type { StreamPieces } from "./stream-pieces.js";

export interface RecordContext {
  readonly dialect: Dialect;
  readonly byteOrder: ByteOrder;
  readonly lax: boolean;
  /** Location of the record in the document. */
  readonly place: ErrorPlace;
}

/** Keys for the bytes after the fixed part; a record has at most one of them. */
const PAYLOAD_KEYS = ["data", "text", "values", "items", "pages"] as const;
const KEYS: ReadonlySet<string> = new Set([
  ...PAYLOAD_KEYS,
  ...["record", "size", "fields", "textBytes", "addresses", "page", "_wire", "_padding", "_raw"],
]);

const MAX_U32 = 0xffff_ffff;
const EMPTY = Buffer.alloc(0);
const KINDS: Readonly<Record<string, RecordKind>> = RECORDS;

/** Bytes of a payload, and pages after them that are copied at the end. */
interface Payload {
  readonly bytes: Buffer;
  readonly elements: number;
  readonly left?: { readonly offset: number; readonly size: number };
}

/**
 * Writes the record described by a member of `records`.
 * Errors: ValueError with the path in it, CrimgError INVALID for a value that is invalid for its field.
 */
export function recordFromJson(members: JsonObject, out: StreamPieces, context: RecordContext): void {
  for (const key of members.keys())
    if (!context.lax && !KEYS.has(key))
      throw new ValueError(
        `unknown key ${JSON.stringify(key)} of a record (expected ${[...KEYS].join(", ")})`,
      );
  const { id, kind } = recordName(members.get("record"), context.dialect);
  if (members.has("_raw")) {
    const raw = base64(members, "_raw");
    out.bytes(Buffer.concat([header(id, HEADER_BYTES + raw.length, context), raw]));
  } else {
    const payload = payloadOf(members, kind, context);
    const fixed = fixedPart(members, kind, payload, context);
    const padding = base64(members, "_padding", Buffer.alloc(kind?.slack ?? 0));
    const left = payload.left?.size ?? 0;
    const size = HEADER_BYTES + fixed.length + payload.bytes.length + left + padding.length;
    out.bytes(Buffer.concat([header(id, size, context), fixed, payload.bytes]));
    if (payload.left !== undefined) out.pages(payload.left.offset, left);
    out.bytes(padding);
  }
  out.bytes(base64(members, "page", EMPTY));
}

function recordName(
  name: JsonValue | undefined,
  { commit }: Dialect,
): { id: number; kind: RecordKind | undefined } {
  if (typeof name === "number" && name >= 0 && name <= MAX_U32) return { id: name, kind: undefined };
  const kind = typeof name === "string" && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  const id = kind === undefined ? undefined : idOf(kind, commit);
  if (id !== undefined) return { id, kind };
  const found = typeof name === "string" ? JSON.stringify(name) : "another value";
  throw new ValueError(
    kind === undefined
      ? `invalid record: ${found} (expected a name such as VMA, or the id of an unknown record)`
      : `header set ${commit} has no record ${kind.name}`,
  ).within("record");
}

function header(id: number, size: number, { byteOrder }: RecordContext): Buffer {
  if (size > MAX_U32) throw new ValueError(`record too large: ${size} bytes (expected at most ${MAX_U32})`);
  const out = Buffer.alloc(HEADER_BYTES);
  if (byteOrder === "little-endian") out.writeUInt32LE(id, 0);
  else out.writeUInt32BE(id, 0);
  if (byteOrder === "little-endian") out.writeUInt32LE(size, 4);
  else out.writeUInt32BE(size, 4);
  return out;
}

/** The fields as bytes, after the header. */
function fixedPart(
  members: JsonObject,
  kind: RecordKind | undefined,
  payload: Payload,
  { dialect, byteOrder, lax, place }: RecordContext,
): Buffer {
  const given = inField("fields", () =>
    jsonObject(members.get("fields") ?? new Map(), "the fields of a record"),
  );
  const table = kind === undefined ? undefined : layoutFor(kind, dialect, members, given);
  if (kind === undefined || table === undefined) {
    const [name] = given.keys();
    if (name !== undefined && !lax) throw new ValueError("this record has no fields").within(name);
    return EMPTY;
  }
  const fixed = kind.payloadAt ?? table.size;
  const base = Buffer.alloc(table.size);
  if (members.has("_wire")) {
    const wire = base64(members, "_wire");
    if (wire.length !== fixed - HEADER_BYTES)
      throw new ValueError(`${wire.length} bytes (expected ${fixed - HEADER_BYTES} for ${kind.name})`).within(
        "_wire",
      );
    wire.copy(base, HEADER_BYTES);
  }
  const value = structFromJson(table, given, { lax });
  if (kind.count !== undefined && value[kind.count] === undefined && hasCount(kind, dialect))
    value[kind.count] = payload.elements;
  const whole = merged(readStruct(table, base, byteOrder), value) as StructValue<StructTable>;
  return writeStruct(table, whole, byteOrder, base, place).subarray(HEADER_BYTES, fixed);
}

/** Only on x86 does THREAD have descriptors. */
function hasCount(kind: RecordKind, { arch }: Dialect): boolean {
  return kind !== RECORDS.THREAD || arch.family === "x86";
}

function layoutFor(
  kind: RecordKind,
  dialect: Dialect,
  members: JsonObject,
  given: JsonObject,
): StructTable | undefined {
  const size = members.get("size") ?? 0;
  if (typeof size !== "number") throw new ValueError("not a number of bytes").within("size");
  const type = (layoutOf(kind, dialect, size) ?? kind.layouts[0]?.table)?.fields.f_type;
  const stored = given.get("f_type");
  const fileType =
    kind !== RECORDS.FILE || type === undefined || stored === undefined
      ? undefined
      : inField("f_type", () => Number(numberFromJson(type, stored)));
  return layoutOf<Layout["table"]>(kind, dialect, size, fileType);
}

/** Fields of the document merged over the defaults. */
function merged(base: unknown, given: unknown): unknown {
  if (given === undefined) return base;
  if (Array.isArray(given) && Array.isArray(base))
    return given.map((item, i) => (i < base.length ? merged(base[i], item) : item));
  if (!isPlain(given) || !isPlain(base)) return given;
  const out: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(given)) out[name] = merged(base[name], value);
  return out;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

function payloadOf(members: JsonObject, kind: RecordKind | undefined, context: RecordContext): Payload {
  const keys = PAYLOAD_KEYS.filter((key) => members.has(key));
  const [key] = keys;
  if (keys.length > 1) throw new ValueError(`conflicting keys ${keys.join(" and ")} (expected one of them)`);
  if (key === undefined) return { bytes: EMPTY, elements: 0 };
  const value = members.get(key) as JsonValue;
  return inField(key, () => {
    switch (key) {
      case "data": {
        const bytes = parseBase64(jsonText(value, "base64"));
        return { bytes, elements: Math.floor(bytes.length / elementBytes(kind, context.dialect)) };
      }
      case "text":
        return textPayload(jsonText(value, "text"), members.get("textBytes"));
      case "values":
        return numbers(jsonList(value, "a list of numbers"), 4, context.byteOrder);
      case "items":
        return items(jsonList(value, "a list of structures"), kind, context);
      case "pages":
        return pages(members.get("addresses") ?? [], value, context);
    }
  });
}

function elementBytes(kind: RecordKind | undefined, dialect: Dialect): number {
  if (kind?.payload === "u32") return 4;
  return (kind === undefined ? undefined : elementTable(kind, dialect))?.size ?? 1;
}

function textPayload(text: string, size: JsonValue | undefined): Payload {
  const bytes = textToBytes(textWithBytes(text));
  const length = size === undefined ? bytes.length + 1 : size;
  if (typeof length !== "number" || length < bytes.length || length > MAX_RECORD_BYTES)
    throw new ValueError(
      `invalid textBytes ${String(length)} (expected ${bytes.length}, the length of the text, to ${MAX_RECORD_BYTES})`,
    );
  return { bytes: Buffer.concat([bytes], length), elements: length };
}

function numbers(list: readonly JsonValue[], wordBytes: 4 | 8, byteOrder: ByteOrder): Payload {
  const bytes = Buffer.alloc(list.length * wordBytes);
  for (const [i, item] of list.entries()) {
    const value = BigInt(numberFromJson({ type: "u64", offset: 0, size: 8, count: undefined }, item));
    if (BigInt.asUintN(wordBytes * 8, value) !== value)
      throw new ValueError(`${value} does not fit ${wordBytes * 8} bits`);
    if (wordBytes === 8)
      if (byteOrder === "little-endian") bytes.writeBigUInt64LE(value, i * 8);
      else bytes.writeBigUInt64BE(value, i * 8);
    else if (byteOrder === "little-endian") bytes.writeUInt32LE(Number(value), i * 4);
    else bytes.writeUInt32BE(Number(value), i * 4);
  }
  return { bytes, elements: list.length };
}

function items(
  list: readonly JsonValue[],
  kind: RecordKind | undefined,
  { dialect, byteOrder, lax, place }: RecordContext,
): Payload {
  const table = kind === undefined ? undefined : elementTable(kind, dialect);
  if (table === undefined) throw new ValueError("this record holds no structures");
  const zero = readStruct(table, Buffer.alloc(table.size), byteOrder);
  const bytes = list.map((item, i) => {
    const value = structFromJson(table, jsonObject(item, `a ${table.name}`), { lax });
    const whole = merged(zero, value) as StructValue<StructTable>;
    return writeStruct(table, whole, byteOrder, undefined, { ...place, path: `${place.path}.items[${i}]` });
  });
  return { bytes: Buffer.concat(bytes), elements: list.length };
}

function pages(addresses: JsonValue, value: JsonValue, { dialect, byteOrder }: RecordContext): Payload {
  const { bytes: keys } = numbers(
    jsonList(addresses, "a list of addresses"),
    dialect.arch.wordBytes,
    byteOrder,
  );
  if (value instanceof Map) {
    const offset = value.get("offset");
    const size = value.get("size");
    if (typeof offset !== "number" || typeof size !== "number" || offset < 0 || size < 0)
      throw new ValueError('pages are a list of base64, or {"offset", "size"} where they stand in an image');
    return { bytes: keys, elements: 0, left: { offset, size } };
  }
  const list = jsonList(value, "a list of pages").map((page) => parseBase64(jsonText(page, "base64")));
  return { bytes: Buffer.concat([keys, ...list]), elements: 0 };
}

function base64(members: JsonObject, key: string, absent?: Buffer): Buffer {
  const value = members.get(key);
  if (value === undefined && absent !== undefined) return absent;
  return inField(key, () => parseBase64(jsonText(value ?? null, "base64")));
}
