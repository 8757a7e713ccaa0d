import type { ByteOrder } from "../io/byte-order.js";
import { CrimgError, type ErrorPlace } from "../io/errors.js";
import { textToBytes } from "../io/text.js";
import type { StructField, StructTable, StructValue, Word } from "./struct.js";

/**
 * The bytes of a structure. Padding is taken from `base` (the structure as it was read), else zero; so is what
 * stands behind the NUL of a char array whose text did not change. The path of `place` is what errors call the structure.
 * Errors: CrimgError INVALID naming the field whose value does not fit.
 */
export function writeStruct<S extends StructTable>(
  table: S,
  value: StructValue<S>,
  byteOrder: ByteOrder,
  base?: Buffer,
  place: ErrorPlace = {},
): Buffer {
  const out = Buffer.alloc(table.size);
  base?.copy(out, 0, 0, table.size);
  try {
    writeFields(
      table,
      value as Readonly<Record<string, unknown>>,
      byteOrder,
      out,
      0,
      place.path ?? table.name,
    );
  } catch (error) {
    if (error instanceof Misfit)
      throw new CrimgError("INVALID", error.message, { ...place, path: error.path });
    throw error;
  }
  return out;
}

/** A value that does not fit its field. */
class Misfit extends Error {
  constructor(
    text: string,
    readonly path: string,
  ) {
    super(text);
  }
}

function writeFields(
  table: StructTable,
  value: Readonly<Record<string, unknown>>,
  byteOrder: ByteOrder,
  out: Buffer,
  start: number,
  path: string,
): void {
  for (const [name, field] of Object.entries(table.fields)) {
    const at = start + field.offset;
    const label = `${path}.${name}`;
    if (field.count === undefined) {
      writeOne(field, value[name], byteOrder, out, at, label);
      continue;
    }
    const items = value[name];
    if (!Array.isArray(items) || items.length !== field.count)
      throw new Misfit(`a list of ${field.count} values was expected`, label);
    for (const [i, item] of items.entries())
      writeOne(field, item, byteOrder, out, at + i * field.size, `${label}[${i}]`);
  }
}

function writeOne(
  { type, size }: StructField,
  value: unknown,
  byteOrder: ByteOrder,
  out: Buffer,
  at: number,
  path: string,
): void {
  if (typeof type === "object")
    writeFields(type, value as Readonly<Record<string, unknown>>, byteOrder, out, at, path);
  else if (type === "bytes") writeBytes(value, size, out, at, path);
  else if (type === "text") writeText(value, size, out, at, path);
  else writeWord(type, value, byteOrder, out, at, path);
}

function writeBytes(value: unknown, size: number, out: Buffer, at: number, path: string): void {
  if (!(value instanceof Uint8Array) || value.length !== size)
    throw new Misfit(`${size} bytes were expected`, path);
  out.set(value, at);
}

function writeText(value: unknown, size: number, out: Buffer, at: number, path: string): void {
  if (typeof value !== "string") throw new Misfit("text was expected", path);
  const bytes = textToBytes(value);
  if (bytes.length > size || bytes.includes(0))
    throw new Misfit(`text of at most ${size} bytes without NUL was expected`, path);
  const field = out.subarray(at, at + size);
  const isSame =
    field.subarray(0, bytes.length).equals(bytes) && (bytes.length === size || field[bytes.length] === 0);
  if (!isSame) field.fill(0).set(bytes);
}

const RANGES: Readonly<Record<Word, readonly [min: bigint, max: bigint]>> = {
  u8: [0n, 0xffn],
  s8: [-0x80n, 0x7fn],
  u16: [0n, 0xffffn],
  le16: [0n, 0xffffn],
  s16: [-0x8000n, 0x7fffn],
  u32: [0n, 0xffff_ffffn],
  be32: [0n, 0xffff_ffffn],
  s32: [-0x8000_0000n, 0x7fff_ffffn],
  u64: [0n, (1n << 64n) - 1n],
  s64: [-(1n << 63n), (1n << 63n) - 1n],
};

function writeWord(
  type: Word,
  value: unknown,
  byteOrder: ByteOrder,
  out: Buffer,
  at: number,
  path: string,
): void {
  const wanted = type === "u64" || type === "s64" ? "bigint" : "number";
  const [min, max] = RANGES[type];
  if (
    typeof value !== wanted ||
    (wanted === "number" && !Number.isInteger(value)) ||
    BigInt(value as number) < min ||
    BigInt(value as number) > max
  )
    throw new Misfit(`${String(value)} is no integer from ${min} to ${max}`, path);
  const size = wanted === "bigint" ? 8 : Number(type.replace(/\D/g, "")) / 8;
  const isLittle = type === "le16" || (type !== "be32" && byteOrder === "little-endian");
  let rest = BigInt.asUintN(size * 8, BigInt(value as number | bigint));
  for (let i = 0; i < size; i++) {
    out[at + (isLittle ? i : size - 1 - i)] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
