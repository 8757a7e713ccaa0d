import type { ByteOrder } from "../io/byte-order.js";
import { CrimgError, type ErrorPlace } from "../io/errors.js";
import { textToBytes } from "../io/text.js";
import type { StructField, StructTable, StructValue, Word } from "./struct.js";

/**
 * The bytes of a structure. Padding is copied from `base` (the original structure), else zero; so are the bytes after the
 * NUL of a char array with unchanged text. The path of `place` names the structure in errors.
 * Errors: CrimgError INVALID with the field of an invalid value.
 */
export function writeStruct<S extends StructTable>(
  table: S,
  value: StructValue<S>,
  byteOrder: ByteOrder,
  base?: Buffer,
  place: ErrorPlace = {},
): Buffer {
  const out = zeros(table.size);
  base?.copy(out, 0, 0, table.size);
  write(table, value as FieldValues, { byteOrder, out, partial: false }, place);
  return out;
}

/** Like `writeStruct`, with only the given fields: all others, including nested ones, are zero. */
export function writeGivenFields(table: StructTable, given: FieldValues, byteOrder: ByteOrder): Buffer {
  const out = zeros(table.size);
  write(table, given, { byteOrder, out, partial: true }, {});
  return out;
}

/** From the pool of small buffers: separate allocations for a million structures would dominate the cost. */
export function zeros(size: number): Buffer {
  return Buffer.allocUnsafe(size).fill(0);
}

/** Values of a structure by its fields. */
export type FieldValues = Readonly<Record<string, unknown>>;

interface Target {
  readonly byteOrder: ByteOrder;
  readonly out: Buffer;
  /** Omitted values are unchanged. */
  readonly partial: boolean;
}

function write(table: StructTable, value: FieldValues, target: Target, place: ErrorPlace): void {
  try {
    writeFields(table, value, target, 0);
  } catch (error) {
    if (error instanceof Misfit)
      throw new CrimgError("INVALID", error.message, {
        ...place,
        path: `${place.path ?? table.name}${error.path}`,
      });
    throw error;
  }
}

/** A value that is invalid for its field. */
class Misfit extends Error {
  /** Path of the field in the structure, built while unwinding: ".sock.linger". */
  path = "";
}

function writeFields(table: StructTable, value: FieldValues, target: Target, start: number): void {
  const { fields } = table;
  for (const name in fields) {
    const field = fields[name] as StructField;
    const given = value[name];
    if (given === undefined && target.partial) continue;
    try {
      if (field.count === undefined) writeOne(field, given, target, start + field.offset);
      else writeItems(field, field.count, given, target, start + field.offset);
    } catch (error) {
      if (error instanceof Misfit) error.path = `.${name}${error.path}`;
      throw error;
    }
  }
}

function writeItems(field: StructField, count: number, items: unknown, target: Target, at: number): void {
  if (!Array.isArray(items) || items.length !== count)
    throw new Misfit(`invalid value (expected a list of ${count} values)`);
  for (const [i, item] of items.entries())
    try {
      writeOne(field, item, target, at + i * field.size);
    } catch (error) {
      if (error instanceof Misfit) error.path = `[${i}]${error.path}`;
      throw error;
    }
}

function writeOne({ type, size }: StructField, value: unknown, target: Target, at: number): void {
  if (typeof type === "object") writeFields(type, value as FieldValues, target, at);
  else if (type === "bytes") writeBytes(value, size, target.out, at);
  else if (type === "text") writeText(value, size, target.out, at);
  else writeWord(type, value, target, at);
}

function writeBytes(value: unknown, size: number, out: Buffer, at: number): void {
  if (!(value instanceof Uint8Array) || value.length !== size)
    throw new Misfit(`invalid value (expected ${size} bytes)`);
  out.set(value, at);
}

function writeText(value: unknown, size: number, out: Buffer, at: number): void {
  if (typeof value !== "string") throw new Misfit("invalid value (expected text)");
  const bytes = textToBytes(value);
  if (bytes.length > size || bytes.includes(0))
    throw new Misfit(`invalid text (expected at most ${size} bytes without NUL)`);
  const field = out.subarray(at, at + size);
  const isSame =
    field.subarray(0, bytes.length).equals(bytes) && (bytes.length === size || field[bytes.length] === 0);
  if (!isSame) field.fill(0).set(bytes);
}

/** Size of each word in bytes, and its range. */
const WORDS: Readonly<
  Record<Exclude<Word, LongWord>, { readonly size: number; readonly min: number; readonly max: number }>
> = {
  u8: { size: 1, min: 0, max: 0xff },
  s8: { size: 1, min: -0x80, max: 0x7f },
  u16: { size: 2, min: 0, max: 0xffff },
  le16: { size: 2, min: 0, max: 0xffff },
  s16: { size: 2, min: -0x8000, max: 0x7fff },
  u32: { size: 4, min: 0, max: 0xffff_ffff },
  be32: { size: 4, min: 0, max: 0xffff_ffff },
  s32: { size: 4, min: -0x8000_0000, max: 0x7fff_ffff },
};

const LONG_WORDS: Readonly<Record<LongWord, readonly [min: bigint, max: bigint]>> = {
  u64: [0n, (1n << 64n) - 1n],
  s64: [-(1n << 63n), (1n << 63n) - 1n],
};

type LongWord = "u64" | "s64";

function writeWord(type: Word, value: unknown, { byteOrder, out }: Target, at: number): void {
  if (type === "u64" || type === "s64") {
    writeLongWord(type, value, byteOrder, out, at);
    return;
  }
  const { size, min, max } = WORDS[type];
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    throw new Misfit(`invalid value ${String(value)} (expected an integer from ${min} to ${max})`);
  const isLittle = type === "le16" || (type !== "be32" && byteOrder === "little-endian");
  for (let i = 0; i < size; i++) out[at + (isLittle ? i : size - 1 - i)] = value >> (8 * i);
}

function writeLongWord(type: LongWord, value: unknown, byteOrder: ByteOrder, out: Buffer, at: number): void {
  const [min, max] = LONG_WORDS[type];
  if (typeof value !== "bigint" || value < min || value > max)
    throw new Misfit(`invalid value ${String(value)} (expected an integer from ${min} to ${max})`);
  const bits = BigInt.asUintN(64, value);
  if (byteOrder === "little-endian") out.writeBigUInt64LE(bits, at);
  else out.writeBigUInt64BE(bits, at);
}
