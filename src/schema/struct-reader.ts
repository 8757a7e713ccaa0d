import { Parser } from "binary-parser";
import type { ByteOrder } from "../io/byte-order.js";
import { type ErrorPlace, FormatError } from "../io/errors.js";
import { bytesToText } from "../io/text.js";
import type { StructField, StructTable, StructValue, Word } from "./struct.js";

const parsers = {
  "little-endian": new WeakMap<StructTable, Parser>(),
  "big-endian": new WeakMap<StructTable, Parser>(),
};
const wholeParsers = {
  "little-endian": new WeakMap<StructTable, Parser>(),
  "big-endian": new WeakMap<StructTable, Parser>(),
};

/**
 * Decodes the structure at the start of `bytes`; the rest is ignored. `place.offset` is the offset of
 * `bytes[0]` in the file. Errors: FormatError TRUNCATED if there are too few bytes.
 */
export function readStruct<S extends StructTable>(
  table: S,
  bytes: Buffer,
  byteOrder: ByteOrder,
  place: ErrorPlace = {},
): StructValue<S> {
  if (bytes.length < table.size)
    throw new FormatError(
      "TRUNCATED",
      `truncated: found ${bytes.length} bytes of ${table.name} (expected ${table.size})`,
      place,
    );
  return wholeParserOf(table, byteOrder).parse(bytes.subarray(0, table.size)).whole as StructValue<S>;
}

/** binary-parser deletes members of its result, which makes it ten times larger; but not of nested results. */
function wholeParserOf(table: StructTable, byteOrder: ByteOrder): Parser {
  let parser = wholeParsers[byteOrder].get(table);
  if (parser === undefined) {
    parser = new Parser().nest("whole", { type: parserOf(table, byteOrder) });
    wholeParsers[byteOrder].set(table, parser);
  }
  return parser;
}

/** Compiled lazily: each takes a fraction of a millisecond. */
function parserOf(table: StructTable, byteOrder: ByteOrder): Parser {
  let parser = parsers[byteOrder].get(table);
  if (parser === undefined) {
    parser = compile(table, byteOrder);
    parsers[byteOrder].set(table, parser);
  }
  return parser;
}

function compile(table: StructTable, byteOrder: ByteOrder): Parser {
  const parser = new Parser();
  let at = 0;
  for (const [name, field] of Object.entries(table.fields)) {
    if (field.offset > at) parser.seek(field.offset - at);
    at = field.offset + field.size * (field.count ?? 1);
    if (field.count === undefined) addOne(parser, name, field, byteOrder);
    else parser.array(name, { type: elementOf(field, byteOrder), length: field.count });
  }
  // In another structure the next field starts at the end of this one, including trailing padding.
  if (at < table.size) parser.seek(table.size - at);
  return parser;
}

function addOne(parser: Parser, name: string, { type, size }: StructField, byteOrder: ByteOrder): void {
  if (type === "bytes") parser.buffer(name, { length: size });
  else if (type === "text") parser.buffer(name, { length: size, formatter: untilNul });
  else if (typeof type === "object") parser.nest(name, { type: parserOf(type, byteOrder) });
  else (parser[methodOf(type, byteOrder)] as (name: string) => Parser)(name);
}

function elementOf({ type }: StructField, byteOrder: ByteOrder): Parser | WordMethod {
  if (typeof type === "object") return parserOf(type, byteOrder);
  return methodOf(type as Word, byteOrder);
}

type Endian = "le" | "be";
type WordMethod =
  | "uint8"
  | "int8"
  | `uint16${Endian}`
  | `int16${Endian}`
  | `uint32${Endian}`
  | `int32${Endian}`
  | `uint64${Endian}`
  | `int64${Endian}`;

function methodOf(type: Word, byteOrder: ByteOrder): WordMethod {
  if (type === "u8") return "uint8";
  if (type === "s8") return "int8";
  if (type === "le16") return "uint16le";
  if (type === "be32") return "uint32be";
  const endian: Endian = byteOrder === "little-endian" ? "le" : "be";
  const bits = type.slice(1) as "16" | "32" | "64";
  return type.startsWith("u") ? `uint${bits}${endian}` : `int${bits}${endian}`;
}

function untilNul(this: unknown, bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytesToText(end === -1 ? bytes : bytes.subarray(0, end));
}
