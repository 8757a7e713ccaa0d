import { CrimgError, type ErrorPlace, isCrimgError } from "../io/errors.js";
import { textToBytes } from "../io/text.js";
import { fieldScalar, wireTypeOf } from "./decode.js";
import {
  type AnyValue,
  type Field,
  fieldMessage,
  type MessageTable,
  type Scalar,
  UNKNOWN,
  type Value,
} from "./message.js";
import { WireWriter } from "./wire.js";

/** A value that is invalid for its field; `path` is the field's path in the record. */
export class ValueError extends Error {
  path = "";

  within(name: string): this {
    this.path = `.${name}${this.path}`;
    return this;
  }
}

type Numeric = Exclude<Scalar, "string" | "bytes">;
type FieldWriter = (writer: WireWriter, value: unknown) => void;

interface Encoder {
  readonly fields: readonly { readonly name: string; readonly field: Field; readonly write: FieldWriter }[];
}

const encoders = new WeakMap<MessageTable, Encoder>();

/**
 * Encodes a message canonically: fields by ascending number, minimal varints, as protobuf-c does.
 * Unknown fields are inserted by number. Errors: CrimgError INVALID for a value that is invalid for its field,
 * a missing required field, or a key that is not in the table.
 */
export function encodeMessage<M extends MessageTable>(
  table: M,
  value: Value<M>,
  place: ErrorPlace = {},
): Buffer {
  const writer = new WireWriter();
  try {
    writeMessage(table, writer, value as AnyValue);
  } catch (error) {
    throw error instanceof ValueError ? toCrimgError(error, table, place) : error;
  }
  return writer.take();
}

/** A value error as a CrimgError, with the name of the record before that of the field. */
export function toCrimgError(error: ValueError, table: MessageTable, place: ErrorPlace): CrimgError {
  return new CrimgError("INVALID", error.message, {
    ...place,
    path: `${place.path ?? table.name}${error.path}`,
  });
}

/** The bytes of one value of a scalar or enum field, without a tag; for bytes and strings without the length. */
export function encodeScalar(type: Scalar, value: unknown): Buffer {
  const writer = new WireWriter();
  if (type === "string" || type === "bytes") writer.bytes(contentOf(type, value));
  else SCALAR_WRITERS[type](writer, value);
  return writer.take();
}

/** Writes a field, including the tag, for each of its values. */
export function writeField(
  owner: MessageTable,
  name: string,
  field: Field,
  writer: WireWriter,
  value: unknown,
): void {
  fieldWriter(owner, name, field)(writer, value);
}

export function writeMessage(table: MessageTable, writer: WireWriter, value: AnyValue): void {
  const encoder = encoderOf(table);
  const unknown = value[UNKNOWN];
  let next = 0;
  for (const { name, field, write } of encoder.fields) {
    if (unknown !== undefined) next = writeUnknowns(writer, unknown, next, field.number);
    const item = value[name];
    if (item === undefined) {
      if (field.label === "required")
        throw new ValueError(`missing required field ${name} of ${table.name}`).within(name);
      continue;
    }
    write(writer, item);
  }
  if (unknown !== undefined) writeUnknowns(writer, unknown, next, Number.POSITIVE_INFINITY);
}

function writeUnknowns(
  writer: WireWriter,
  list: NonNullable<AnyValue[typeof UNKNOWN]>,
  from: number,
  below: number,
): number {
  let next = from;
  for (; next < list.length; next++) {
    const field = list[next];
    if (field === undefined || field.number >= below) break;
    writer.uint32(((field.number << 3) | field.wireType) >>> 0);
    if (field.wireType === 2) writer.uint32(field.data.length);
    writer.bytes(field.data);
  }
  return next;
}

function encoderOf(table: MessageTable): Encoder {
  let encoder = encoders.get(table);
  if (encoder === undefined) {
    const fields = Object.entries(table.fields)
      .sort(([, a], [, b]) => a.number - b.number)
      .map(([name, field]) => ({ name, field, write: fieldWriter(table, name, field) }));
    encoder = { fields };
    encoders.set(table, encoder);
  }
  return encoder;
}

function fieldWriter(owner: MessageTable, name: string, field: Field): FieldWriter {
  const type = fieldScalar(field);
  const tag = ((field.number << 3) | wireTypeOf(type)) >>> 0;
  const one: FieldWriter =
    type === undefined
      ? nestedWriter(fieldMessage(owner, field) as MessageTable, tag)
      : type === "string" || type === "bytes"
        ? contentWriter(type, tag)
        : scalarWriter(type, tag);
  const named = (writer: WireWriter, value: unknown, label: string): void => {
    try {
      one(writer, value);
    } catch (error) {
      throw error instanceof ValueError ? error.within(label) : error;
    }
  };
  if (field.label !== "repeated") return (writer, value) => named(writer, value, name);
  if (field.packed === "always") return packedWriter(name, field.number, fieldScalar(field) as Numeric);
  return (writer, value) => {
    listOf(name, value).forEach((item, index) => {
      named(writer, item, `${name}[${index}]`);
    });
  };
}

function nestedWriter(nested: MessageTable, tag: number): FieldWriter {
  return (writer, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new ValueError(`invalid ${found(value)} (expected a ${nested.name})`);
    writer.uint32(tag);
    const start = writer.pos;
    writeMessage(nested, writer, value as AnyValue);
    writer.closeLength(start);
  };
}

function contentWriter(type: "string" | "bytes", tag: number): FieldWriter {
  return (writer, value) => {
    const content = contentOf(type, value);
    writer.uint32(tag);
    writer.uint32(content.length);
    writer.bytes(content);
  };
}

function scalarWriter(type: Numeric, tag: number): FieldWriter {
  const write = SCALAR_WRITERS[type];
  return (writer, value) => {
    writer.uint32(tag);
    write(writer, value);
  };
}

function packedWriter(name: string, number: number, type: Numeric): FieldWriter {
  const write = SCALAR_WRITERS[type];
  return (writer, value) => {
    const items = listOf(name, value);
    if (items.length === 0) return;
    writer.uint32(((number << 3) | 2) >>> 0);
    const start = writer.pos;
    items.forEach((item, index) => {
      try {
        write(writer, item);
      } catch (error) {
        throw error instanceof ValueError ? error.within(`${name}[${index}]`) : error;
      }
    });
    writer.closeLength(start);
  };
}

function listOf(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new ValueError(`invalid ${found(value)} (expected a list)`).within(name);
  return value;
}

function contentOf(type: "string" | "bytes", value: unknown): Uint8Array {
  if (type === "string" && typeof value === "string") return stringContent(value);
  if (type === "bytes" && value instanceof Uint8Array) return value;
  throw new ValueError(`invalid ${found(value)} (expected ${type === "string" ? "text" : "bytes"})`);
}

function stringContent(text: string): Buffer {
  try {
    return textToBytes(text);
  } catch (error) {
    throw isCrimgError(error) ? new ValueError(error.text) : error;
  }
}

const SCALAR_WRITERS: Readonly<Record<Numeric, FieldWriter>> = {
  uint32: (writer, value) => writer.uint32(integer(value, 0, 0xffffffff)),
  int32: (writer, value) => writer.int32(integer(value, -0x80000000, 0x7fffffff)),
  sint32: (writer, value) => {
    const number = integer(value, -0x80000000, 0x7fffffff);
    writer.uint32(((number << 1) ^ (number >> 31)) >>> 0);
  },
  uint64: (writer, value) => writer.uint64(bigInteger(value, 0n, 0xffff_ffff_ffff_ffffn)),
  fixed64: (writer, value) => writer.fixed64(bigInteger(value, 0n, 0xffff_ffff_ffff_ffffn)),
  int64: (writer, value) =>
    writer.uint64(BigInt.asUintN(64, bigInteger(value, -(1n << 63n), (1n << 63n) - 1n))),
  sint64: (writer, value) => {
    const number = bigInteger(value, -(1n << 63n), (1n << 63n) - 1n);
    writer.uint64(BigInt.asUintN(64, (number << 1n) ^ (number >> 63n)));
  },
  bool: (writer, value) => {
    if (typeof value !== "boolean") throw new ValueError(`invalid ${found(value)} (expected true or false)`);
    writer.uint32(value ? 1 : 0);
  },
};

function integer(value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    throw new ValueError(`invalid ${found(value)} (expected an integer from ${min} to ${max})`);
  return value;
}

function bigInteger(value: unknown, min: bigint, max: bigint): bigint {
  if (typeof value !== "bigint" || value < min || value > max)
    throw new ValueError(
      `invalid ${found(value)} (expected ${typeof value === "number" ? "a bigint" : "an integer"} from ${min} to ${max})`,
    );
  return value;
}

function found(value: unknown): string {
  if (typeof value === "string")
    return `text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return `value ${value}`;
  return value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
}
