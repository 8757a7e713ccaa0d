import { type ErrorPlace, FormatError } from "../io/errors.js";
import { MAX_MESSAGE_DEPTH } from "../io/limits.js";
import { bytesToText } from "../io/text.js";
import {
  type AnyValue,
  type Field,
  fieldMessage,
  type MessageTable,
  type Scalar,
  UNKNOWN,
  type UnknownField,
  type Value,
} from "./message.js";
import { checkTag, WireError, WireReader, type WireType } from "./wire.js";

type FieldReader = (reader: WireReader, into: AnyValue, depth: number) => void;

interface Decoder {
  /** Readers of fields by tag (number and expected wire type), sparse. */
  readonly byTag: readonly (FieldReader | undefined)[];
  readonly repeated: readonly string[];
  readonly required: readonly string[];
  readonly isPart: boolean;
}

const decoders = new WeakMap<MessageTable, Decoder>();

/**
 * Decodes all of `bytes` as one message. Fields that are not in the table, or have the wrong wire type, are kept under
 * `_unknown` in the order of the bytes.
 * Errors: FormatError if the bytes are invalid or a required field is missing; `place.offset` is the offset of `bytes[0]`
 * in the file and `place.path` the name of the record.
 */
export function decodeMessage<M extends MessageTable>(
  table: M,
  bytes: Buffer,
  place: ErrorPlace = {},
): Value<M> {
  try {
    return readMessage(table, new WireReader(bytes, 0, bytes.length), bytes.length, 0) as Value<M>;
  } catch (error) {
    throw error instanceof WireError ? toFormatError(error, table, place) : error;
  }
}

/** A wire error as a FormatError, with the file offset and the name of the field. */
export function toFormatError(error: WireError, table: MessageTable, place: ErrorPlace): FormatError {
  return new FormatError(error.code, error.message, {
    file: place.file,
    offset: (place.offset ?? 0) + error.offset,
    path: `${place.path ?? table.name}${error.path}`,
  });
}

/** Wire type of a scalar, an enum, or (undefined) a message. */
export function wireTypeOf(type: Scalar | undefined): WireType {
  if (type === undefined || type === "string" || type === "bytes") return 2;
  return type === "fixed64" ? 1 : 0;
}

/** The scalar type of a field: enums are int32 on the wire; undefined for messages. */
export function fieldScalar(field: Field): Scalar | undefined {
  if (field.type === "self") return undefined;
  if (typeof field.type === "object") return field.type.kind === "enum" ? "int32" : undefined;
  return field.type;
}

function readMessage(table: MessageTable, reader: WireReader, end: number, depth: number): AnyValue {
  if (depth > MAX_MESSAGE_DEPTH)
    throw new WireError(
      `messages are nested too deep (expected at most ${MAX_MESSAGE_DEPTH} levels)`,
      reader.pos,
      "TOO_LARGE",
    );
  const decoder = decoderOf(table);
  const value: AnyValue = {};
  for (const name of decoder.repeated) value[name] = [];
  const outerEnd = reader.end;
  const start = reader.pos;
  reader.end = end;
  while (reader.pos < end) {
    const at = reader.pos;
    const tag = reader.uint32();
    const read = decoder.byTag[tag];
    if (read !== undefined) read(reader, value, depth);
    else if (decoder.isPart) passOver(reader, tag, at);
    else readUnknown(reader, value, tag, at);
  }
  reader.end = outerEnd;
  for (const name of decoder.repeated) {
    const list = value[name] as unknown[];
    // The room that V8 gives to a list of one would hold seventeen.
    if (list.length > 0 && list.length <= MAX_SMALL_LIST) value[name] = list.slice();
  }
  for (const name of decoder.required)
    if (value[name] === undefined)
      throw new WireError(`missing required field ${name} of ${table.name}`, start);
  return value;
}

const MAX_SMALL_LIST = 16;

/** An unknown field costs an object and a buffer. */
const UNKNOWN_WEIGHT = 2;

function readUnknown(reader: WireReader, value: AnyValue, tag: number, at: number): void {
  checkTag(tag, at);
  reader.countElement(UNKNOWN_WEIGHT);
  const wireType = (tag & 7) as WireType;
  let start = reader.pos;
  if (wireType === 2) {
    const length = reader.length();
    start = reader.pos;
    reader.pos += length;
  } else reader.skipValue(wireType);
  const unknown: UnknownField = { number: tag >>> 3, wireType, data: reader.buf.subarray(start, reader.pos) };
  const list = value[UNKNOWN];
  if (list === undefined) value[UNKNOWN] = [unknown];
  else list.push(unknown);
}

function passOver(reader: WireReader, tag: number, at: number): void {
  checkTag(tag, at);
  reader.skipValue((tag & 7) as WireType);
}

function decoderOf(table: MessageTable): Decoder {
  let decoder = decoders.get(table);
  if (decoder === undefined) {
    decoder = compile(table);
    decoders.set(table, decoder);
  }
  return decoder;
}

function compile(table: MessageTable): Decoder {
  const byTag: (FieldReader | undefined)[] = [];
  const repeated: string[] = [];
  const required: string[] = [];
  for (const [name, field] of Object.entries(table.fields)) {
    if (field.label === "repeated") repeated.push(name);
    if (field.label === "required") required.push(name);
    const nested = fieldMessage(table, field);
    if (nested !== undefined) byTag[(field.number << 3) | 2] = messageReader(name, nested, field);
    else addScalarReaders(byTag, name, field, fieldScalar(field) as Scalar);
  }
  return { byTag, repeated, required, isPart: table.isPart === true };
}

/** Larger messages seldom repeat, and the last one is kept. */
const MAX_SHARED_BYTES = 1024;
/** Of lists the small ones: most of the 62 actions of signals of a task are the same. */
const MAX_SHARED_ELEMENT_BYTES = 48;

/**
 * Records of an image often have the same message in one field, such as the options of sockets: a message with the bytes of
 * the one before it in that field is the same object, which saves half of the memory of a large image.
 */
function messageReader(name: string, nested: MessageTable, { label, most }: Field): FieldReader {
  const isRepeated = label === "repeated";
  let last: { readonly bytes: Buffer; readonly depth: number; readonly value: AnyValue } | undefined;
  return (reader, into, depth) => {
    try {
      if (isRepeated) {
        reader.countElement();
        if (most !== undefined && (into[name] as AnyValue[]).length >= most)
          throw new WireError(`too many elements (expected at most ${most})`, reader.pos, "TOO_LARGE");
      }
      const length = reader.length();
      const { buf, pos } = reader;
      let value: AnyValue;
      if (
        (isRepeated || into[name] === undefined) &&
        last?.depth === depth &&
        last.bytes.length === length &&
        startsAt(buf, pos, last.bytes)
      ) {
        value = last.value;
        reader.pos += length;
      } else {
        value = readMessage(nested, reader, pos + length, depth + 1);
        if (length <= (isRepeated ? MAX_SHARED_ELEMENT_BYTES : MAX_SHARED_BYTES))
          last = { bytes: Buffer.from(buf.subarray(pos, pos + length)), depth, value };
      }
      if (isRepeated) (into[name] as AnyValue[]).push(value);
      else
        into[name] = into[name] === undefined ? value : mergeMessages(nested, into[name] as AnyValue, value);
    } catch (error) {
      const index = isRepeated ? `[${(into[name] as AnyValue[]).length}]` : "";
      throw error instanceof WireError ? error.within(`${name}${index}`) : error;
    }
  };
}

function startsAt(buffer: Buffer, at: number, bytes: Buffer): boolean {
  return buffer.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;
}

/** Messages that merging has made, and into which more may be merged: no other message shares them. */
const merged = new WeakSet<AnyValue>();

/**
 * A duplicate singular message is merged: later scalars win, lists are concatenated (protobuf encoding guide). A message
 * may be there a million times, so lists grow in place.
 */
function mergeMessages(table: MessageTable, first: AnyValue, second: AnyValue): AnyValue {
  const into = merged.has(first) ? first : copyOf(first);
  for (const [name, field] of Object.entries(table.fields)) {
    const value = second[name];
    if (value === undefined) continue;
    const nested = fieldMessage(table, field);
    if (field.label === "repeated") append(into[name] as unknown[], value as unknown[]);
    else if (nested !== undefined && into[name] !== undefined)
      into[name] = mergeMessages(nested, into[name] as AnyValue, value as AnyValue);
    else into[name] = value;
  }
  const unknown = second[UNKNOWN];
  if (unknown !== undefined) {
    into[UNKNOWN] ??= [];
    append(into[UNKNOWN], unknown);
  }
  return into;
}

function copyOf(message: AnyValue): AnyValue {
  const copy: AnyValue = {};
  for (const [name, value] of Object.entries(message)) copy[name] = Array.isArray(value) ? [...value] : value;
  merged.add(copy);
  return copy;
}

function append(list: unknown[], more: readonly unknown[]): void {
  for (const each of more) list.push(each);
}

const SCALAR_READERS: Readonly<Record<Scalar, (reader: WireReader) => unknown>> = {
  uint32: (reader) => reader.uint32(),
  uint64: (reader) => reader.uint64(),
  int32: (reader) => reader.int32(),
  int64: (reader) => reader.int64(),
  sint32: (reader) => reader.sint32(),
  sint64: (reader) => reader.sint64(),
  fixed64: (reader) => reader.fixed64(),
  bool: (reader) => reader.bool(),
  string: (reader) => bytesToText(readBytes(reader)),
  bytes: readBytes,
};

/** Reads the value of a scalar after its tag. */
export function readScalar(type: Scalar, reader: WireReader): unknown {
  return SCALAR_READERS[type](reader);
}

function readBytes(reader: WireReader): Buffer {
  const length = reader.length();
  reader.pos += length;
  return reader.buf.subarray(reader.pos - length, reader.pos);
}

function addScalarReaders(
  byTag: (FieldReader | undefined)[],
  name: string,
  field: Field,
  type: Scalar,
): void {
  const read = SCALAR_READERS[type];
  const wireType = wireTypeOf(type);
  const tag = (field.number << 3) | wireType;
  const named = (reader: WireReader): unknown => {
    try {
      return read(reader);
    } catch (error) {
      throw error instanceof WireError ? error.within(name) : error;
    }
  };
  if (field.label !== "repeated") {
    byTag[tag] = (reader, into) => {
      into[name] = named(reader);
    };
    return;
  }
  const add: FieldReader = (reader, into) => {
    reader.countElement();
    (into[name] as unknown[]).push(named(reader));
  };
  byTag[tag] = add;
  if (wireType === 2 || field.packed === "never") return;
  byTag[(field.number << 3) | 2] = (reader, into, depth) => {
    const end = reader.length() + reader.pos;
    const outerEnd = reader.end;
    reader.end = end;
    while (reader.pos < end) add(reader, into, depth);
    reader.end = outerEnd;
  };
}
