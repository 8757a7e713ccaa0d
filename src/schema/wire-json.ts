import type { EnumTable } from "../io/enums.js";
import { MAX_MESSAGE_DEPTH } from "../io/limits.js";
import { fieldScalar, wireTypeOf } from "./decode.js";
import { type Field, fieldMessage, type MessageTable } from "./message.js";

/**
 * Input and output of a copy. A write beyond the end of `out` is dropped, as in typed arrays, and shows in `at`.
 */
export interface JsonCursor {
  readonly buf: Uint8Array;
  pos: number;
  /** End of the message. */
  end: number;
  readonly out: Uint8Array;
  at: number;
}

/** Reads a value and writes its JSON; false if `decodeMessage` and `messageMembers` are needed. */
type Copy = (cursor: JsonCursor, depth: number) => boolean;

interface CopiedField {
  readonly number: number;
  /** `"name": ` in ASCII. */
  readonly key: Uint8Array;
  readonly isRepeated: boolean;
  readonly isRequired: boolean;
  readonly copy: Copy;
}

interface Copier {
  /** By tag, sparse: only fields whose type can be copied. */
  readonly byTag: readonly (CopiedField | undefined)[];
  readonly requiredCount: number;
}

const copiers = new WeakMap<MessageTable, Copier>();

/**
 * Writes the message in `buf[pos, end)` as plain JSON directly from its bytes, the same text as by `messageMembers`.
 * Only for the common case: canonical encodings of known fields, text in printable ASCII. False for anything else and
 * for errors; the caller then discards the output and uses the general path.
 */
export function copyAsJson(table: MessageTable, cursor: JsonCursor): boolean {
  return copyMessage(copierOf(table), cursor, 0) && cursor.at <= cursor.out.length;
}

function copyMessage({ byTag, requiredCount }: Copier, cursor: JsonCursor, depth: number): boolean {
  if (depth > MAX_MESSAGE_DEPTH) return false;
  const { out, end } = cursor;
  out[cursor.at++] = BRACE;
  let last: CopiedField | undefined;
  let seen = 0;
  while (cursor.pos < end) {
    if (!varint(cursor) || high !== 0) return false;
    const field = byTag[low];
    if (field === undefined) return false;
    if (field === last && field.isRepeated) separate(cursor);
    else {
      if (last !== undefined) {
        if (field.number <= last.number) return false;
        if (last.isRepeated) out[cursor.at++] = BRACKET_END;
        separate(cursor);
      }
      if (field.isRequired) seen++;
      append(cursor, field.key);
      if (field.isRepeated) out[cursor.at++] = BRACKET;
      last = field;
    }
    if (!field.copy(cursor, depth)) return false;
  }
  if (last?.isRepeated) out[cursor.at++] = BRACKET_END;
  out[cursor.at++] = BRACE_END;
  return seen === requiredCount && cursor.pos === end;
}

function copierOf(table: MessageTable): Copier {
  let copier = copiers.get(table);
  if (copier === undefined) {
    const byTag: (CopiedField | undefined)[] = [];
    const fields = Object.entries(table.fields);
    copier = { byTag, requiredCount: fields.filter(([, { label }]) => label === "required").length };
    copiers.set(table, copier);
    for (const [name, field] of fields) {
      const copy = copyOf(table, field);
      if (copy === undefined || field.packed === "always") continue;
      byTag[(field.number << 3) | wireTypeOf(fieldScalar(field))] = {
        number: field.number,
        key: ascii(`"${name}": `),
        isRepeated: field.label === "repeated",
        isRequired: field.label === "required",
        copy,
      };
    }
  }
  return copier;
}

function copyOf(owner: MessageTable, field: Field): Copy | undefined {
  const nested = fieldMessage(owner, field);
  if (nested !== undefined) return nestedCopy(nested);
  if (typeof field.type === "object") return enumCopy(field.type as EnumTable);
  switch (field.type) {
    case "uint32":
      return (cursor) => varint(cursor) && high === 0 && digits(cursor, low);
    case "uint64":
      return (cursor) => varint(cursor) && digits64(cursor);
    case "int32":
      return (cursor) => varint(cursor) && isInt32() && signed(cursor, low | 0);
    case "sint32":
      return (cursor) => varint(cursor) && high === 0 && signed(cursor, (low >>> 1) ^ -(low & 1));
    case "bool":
      return (cursor) => varint(cursor) && high === 0 && low <= 1 && append(cursor, low === 1 ? TRUE : FALSE);
    case "string":
      return copyText;
    default:
      return undefined;
  }
}

function nestedCopy(table: MessageTable): Copy {
  let copier: Copier | undefined;
  return (cursor, depth) => {
    const outerEnd = cursor.end;
    const end = contentEnd(cursor);
    if (end === -1) return false;
    cursor.end = end;
    copier ??= copierOf(table);
    const isCopied = copyMessage(copier, cursor, depth + 1);
    cursor.end = outerEnd;
    return isCopied;
  };
}

function enumCopy({ names }: EnumTable): Copy {
  const texts = new Map([...names].map(([value, name]) => [value, ascii(`"${name}"`)]));
  return (cursor) => {
    if (!varint(cursor) || !isInt32()) return false;
    const text = texts.get(low | 0);
    return text === undefined ? signed(cursor, low | 0) : append(cursor, text);
  };
}

/** Text that needs no escapes in JSON. */
function copyText(cursor: JsonCursor): boolean {
  const end = contentEnd(cursor);
  if (end === -1) return false;
  const { buf, out } = cursor;
  let at = cursor.at;
  out[at++] = QUOTE;
  for (let pos = cursor.pos; pos < end; pos++) {
    const byte = buf[pos] as number;
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) return false;
    out[at++] = byte;
  }
  out[at++] = QUOTE;
  cursor.pos = end;
  cursor.at = at;
  return true;
}

/** Reads a length; -1 if the content would extend beyond the message. */
function contentEnd(cursor: JsonCursor): number {
  if (!varint(cursor) || high !== 0) return -1;
  const end = cursor.pos + low;
  return end <= cursor.end ? end : -1;
}

/** Halves of the last varint. */
let low = 0;
let high = 0;

/** Reads one varint of minimal length. */
function varint(cursor: JsonCursor): boolean {
  const { buf, end } = cursor;
  let pos = cursor.pos;
  low = 0;
  high = 0;
  for (let shift = 0; shift < 70 && pos < end; shift += 7) {
    const byte = buf[pos++] as number;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) {
      low >>>= 0;
      high >>>= 0;
      cursor.pos = pos;
      return (byte !== 0 || shift === 0) && (shift < 63 || byte === 1);
    }
  }
  return false;
}

/** Whether the last varint is a canonical int32: a negative one is extended to 64 bits. */
function isInt32(): boolean {
  return low <= 0x7fffffff ? high === 0 : high === 0xffffffff;
}

function signed(cursor: JsonCursor, value: number): boolean {
  if (value >= 0) return digits(cursor, value);
  cursor.out[cursor.at++] = MINUS;
  return digits(cursor, -value);
}

function digits64(cursor: JsonCursor): boolean {
  if (high === 0) return digits(cursor, low);
  if (high < 0x200000) return digits(cursor, high * 2 ** 32 + low);
  return append(cursor, ascii(String((BigInt(high) << 32n) | BigInt(low))));
}

/** Writes an integer below 2^53. */
function digits(cursor: JsonCursor, value: number): boolean {
  if (value < BILLION) {
    let size = 1;
    for (let bound = 10; value >= bound; bound *= 10) size++;
    lastDigits(cursor, value, size);
  } else {
    const front = Math.floor(value / BILLION);
    digits(cursor, front);
    lastDigits(cursor, value - front * BILLION, 9);
  }
  return true;
}

function lastDigits(cursor: JsonCursor, value: number, size: number): void {
  const { out, at } = cursor;
  let rest = value | 0;
  for (let i = at + size - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    out[i] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  cursor.at = at + size;
}

function separate(cursor: JsonCursor): void {
  cursor.out[cursor.at++] = COMMA;
  cursor.out[cursor.at++] = SPACE;
}

function append(cursor: JsonCursor, text: Uint8Array): boolean {
  const { out } = cursor;
  let at = cursor.at;
  for (let i = 0; i < text.length; i++) out[at++] = text[i] as number;
  cursor.at = at;
  return true;
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

const BILLION = 1e9;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;
const TRUE = ascii("true");
const FALSE = ascii("false");
