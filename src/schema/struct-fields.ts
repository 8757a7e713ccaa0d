import { enumName, flagNames } from "../io/enums.js";
import { bytesToText } from "../io/text.js";
import { bytesText, isOctal, joinedUpTo, TEXT_LENGTH } from "./field-text.js";
import type { StructField, StructTable } from "./struct.js";

/** A value of a decoded structure: `perms.uid`, `rlim[3].rlim_cur`. */
export interface StructLeaf {
  readonly path: string;
  /** Offset from the start of the outermost structure, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly field: StructField;
  /** A number, text or bytes; arrays of integers are one value. */
  readonly value: unknown;
}

/** The values of a structure in order, without padding. */
export function* structLeaves(
  table: StructTable,
  value: Readonly<Record<string, unknown>>,
  path = "",
  start = 0,
): Generator<StructLeaf> {
  for (const [name, field] of Object.entries(table.fields)) {
    const { type, count, size } = field;
    const offset = start + field.offset;
    const item = value[name];
    if (item === undefined) continue; // of a record that is not written yet
    if (typeof type !== "object")
      yield { path: path + name, offset, size: size * (count ?? 1), field, value: item };
    else if (count === undefined)
      yield* structLeaves(type, item as Readonly<Record<string, unknown>>, `${path}${name}.`, offset);
    else
      for (const [i, each] of (item as Readonly<Record<string, unknown>>[]).entries())
        yield* structLeaves(type, each, `${path}${name}[${i}].`, offset + i * size);
  }
}

/** All fields of a structure in one line, `f_mode 0x1f, f_flags 0x8002 O_RDWR|O_LARGEFILE`. */
export function structText(table: StructTable, value: Readonly<Record<string, unknown>>): string {
  return joinedUpTo(TEXT_LENGTH, structLeaves(table, value), (leaf) => `${leaf.path} ${leafText(leaf)}`);
}

/** A value as text: numbers by the table's display hints, bytes as hexadecimal, texts in quotes. */
export function leafText({ path, field, value }: StructLeaf): string {
  if (typeof value === "number" && isOctal(path.slice(path.lastIndexOf(".") + 1)))
    return `0${value.toString(8)}`;
  if (Buffer.isBuffer(value)) return bytesText(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return value.map((item) => numberText(field, item)).join(" ");
  return numberText(field, value as number | bigint);
}

function numberText({ show, names, domain }: StructField, value: number | bigint): string {
  if (names !== undefined) return `${enumName(names, Number(value))} (${value})`;
  if (show?.as === "hex") return `0x${value.toString(16)}`;
  if (show?.as === "flags")
    return `0x${value.toString(16)} ${flagNames(show.table, value).join("|")}`.trimEnd();
  const named = typeof domain === "object" && domain.kind === "enum" ? domain : undefined;
  return named?.names.has(Number(value)) ? `${enumName(named, Number(value))} (${value})` : String(value);
}

/** Whether a value matches; numbers in arrays are matched one by one. */
export function leafMatches(
  { value }: StructLeaf,
  matcher: { text(value: string): boolean; number(value: number | bigint): boolean },
): boolean {
  if (typeof value === "string") return matcher.text(value);
  if (Buffer.isBuffer(value)) return matcher.text(bytesToText(value));
  if (Array.isArray(value)) return value.some((item) => matcher.number(item));
  return matcher.number(value as number | bigint);
}
