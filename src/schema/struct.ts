import type { EnumTable } from "../io/enums.js";
import type { FieldDomain } from "./field-domain.js";
import type { Holds, ShowHint } from "./message.js";

/** Integers of C structures. `le16` and `be32` have a fixed byte order. */
export type Word = "u8" | "u16" | "u32" | "u64" | "s8" | "s16" | "s32" | "s64" | "le16" | "be32";

export const WORD_BYTES: Readonly<Record<Word, number>> = {
  u8: 1,
  s8: 1,
  u16: 2,
  s16: 2,
  le16: 2,
  u32: 4,
  s32: 4,
  be32: 4,
  u64: 8,
  s64: 8,
};

export type StructType = Word | "bytes" | "text" | StructTable;

export interface StructFieldOptions {
  readonly doc?: string;
  readonly show?: ShowHint;
  readonly holds?: Holds;
  readonly names?: EnumTable;
  /** The valid values at a restart; others fail or are lost. JSON always shows the number. */
  readonly domain?: FieldDomain;
  /** False if values outside of the domain get lost in a conversion to the other family, which tells them. */
  readonly kept?: false;
}

export interface StructField<
  T extends StructType = StructType,
  C extends number | undefined = number | undefined,
> extends StructFieldOptions {
  /** Offset from the start of the structure, in bytes. */
  readonly offset: number;
  readonly type: T;
  /** Elements of an array; undefined for one value. */
  readonly count: C;
  /** Bytes of one element. */
  readonly size: number;
}

export type StructFields = Readonly<Record<string, StructField>>;

/** A C structure as data. Bytes without a field are padding, which a writer keeps. */
export interface StructTable<F extends StructFields = StructFields> {
  readonly kind: "struct";
  readonly name: string;
  readonly doc: string;
  /** Size in bytes, including trailing padding: `sizeof`. */
  readonly size: number;
  readonly fields: F;
}

/** A structure whose fields must be within `size`, ascending and disjoint. Errors: Error otherwise. */
export function struct<const F extends StructFields>(
  name: string,
  size: number,
  doc: string,
  fields: F,
): StructTable<F> {
  let end = 0;
  for (const [field, { offset, size: bytes, count }] of Object.entries(fields)) {
    if (offset < end)
      throw new Error(`${name}.${field} at ${offset} overlaps the previous field, which ends at ${end}`);
    end = offset + bytes * (count ?? 1);
  }
  if (end > size) throw new Error(`the fields of ${name} end at ${end}, its size is ${size}`);
  return { kind: "struct", name, doc, size, fields };
}

/** One integer. */
export function word<const W extends Word>(
  type: W,
  offset: number,
  options: StructFieldOptions = {},
): StructField<W, undefined> {
  return { offset, type, count: undefined, size: WORD_BYTES[type], ...options };
}

/** An array of integers. */
export function words<const W extends Word>(
  type: W,
  offset: number,
  count: number,
  options: StructFieldOptions = {},
): StructField<W, number> {
  return { offset, type, count, size: WORD_BYTES[type], ...options };
}

/** Raw bytes. */
export function bytes(
  offset: number,
  size: number,
  options: StructFieldOptions = {},
): StructField<"bytes", undefined> {
  return { offset, type: "bytes", count: undefined, size, ...options };
}

/** A char array with text up to its first NUL. */
export function text(
  offset: number,
  size: number,
  options: StructFieldOptions = {},
): StructField<"text", undefined> {
  return { offset, type: "text", count: undefined, size, ...options };
}

/** A nested structure. */
export function inner<const T extends StructTable>(
  table: T,
  offset: number,
  options: StructFieldOptions = {},
): StructField<T, undefined> {
  return { offset, type: table, count: undefined, size: table.size, ...options };
}

/** An array of structures. */
export function inners<const T extends StructTable>(
  table: T,
  offset: number,
  count: number,
  options: StructFieldOptions = {},
): StructField<T, number> {
  return { offset, type: table, count, size: table.size, ...options };
}

type OneValue<T> = T extends "u64" | "s64"
  ? bigint
  : T extends "bytes"
    ? Buffer
    : T extends "text"
      ? string
      : T extends StructTable
        ? StructValue<T>
        : number;

/** A decoded structure: 64-bit integers are bigint, char arrays text, other bytes Buffers. */
export type StructValue<S extends StructTable> = {
  -readonly [K in keyof S["fields"]]: S["fields"][K]["count"] extends number
    ? OneValue<S["fields"][K]["type"]>[]
    : OneValue<S["fields"][K]["type"]>;
};
