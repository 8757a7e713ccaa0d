import { jsonString } from "../io/ascii-json.js";
import { enumName, flagNames } from "../io/enums.js";
import type { StructField, StructTable } from "./struct.js";
import { bracketed, type JsonStyle } from "./to-json.js";

type ToText = (value: unknown, indent: string) => string;

const compiled = {
  pretty: new WeakMap<StructTable, readonly (readonly [name: string, write: ToText])[]>(),
  plain: new WeakMap<StructTable, readonly (readonly [name: string, write: ToText])[]>(),
};

/**
 * A structure as a JSON object, its fields in order: numbers by display hint (names, "0x…", if pretty also the names of
 * flags), quoted above 2^53, bytes as base64, texts in ASCII. Padding is omitted.
 */
export function structJson(
  table: StructTable,
  value: Readonly<Record<string, unknown>>,
  style: JsonStyle,
  indent: string,
): string {
  const inner = indent === "" ? "" : `${indent}    `;
  const members = textsOf(table, style).map(([name, write]) => `"${name}": ${write(value[name], inner)}`);
  return bracketed(members, "{}", indent);
}

function textsOf(table: StructTable, style: JsonStyle): readonly (readonly [string, ToText])[] {
  const tables = style.pretty ? compiled.pretty : compiled.plain;
  let texts = tables.get(table);
  if (texts === undefined) {
    texts = Object.entries(table.fields).map(([name, field]) => [name, writerOf(field, style)] as const);
    tables.set(table, texts);
  }
  return texts;
}

function writerOf(field: StructField, style: JsonStyle): ToText {
  const write = elementWriter(field, style);
  if (field.count === undefined) return write;
  return (value, indent) => {
    const isFlat = typeof field.type !== "object";
    const inner = isFlat || indent === "" ? "" : `${indent}    `;
    const items = (value as readonly unknown[]).map((item) => write(item, inner));
    return bracketed(items, "[]", isFlat ? "" : indent);
  };
}

function elementWriter({ type, show, names }: StructField, style: JsonStyle): ToText {
  if (typeof type === "object")
    return (value, indent) => structJson(type, value as Readonly<Record<string, unknown>>, style, indent);
  if (type === "bytes") return (value) => `"${(value as Buffer).toString("base64")}"`;
  if (type === "text") return (value) => jsonString(value as string);
  if (names !== undefined)
    return (value) => {
      const name = enumName(names, Number(value));
      return names.names.has(Number(value)) ? jsonString(name) : name;
    };
  if (show?.as === "flags" && style.pretty)
    return (value) => jsonString(flagNames(show.table, value as number | bigint).join(" | "));
  if (show?.as === "hex" || show?.as === "flags") return (value) => hexJson(value as number | bigint);
  return (value) => numberJson(value as number | bigint);
}

function hexJson(value: number | bigint): string {
  return value < 0 ? numberJson(value) : `"0x${value.toString(16)}"`;
}

/** Quotes numbers that JSON tools would round. */
function numberJson(value: number | bigint): string {
  return typeof value === "number" || BigInt.asIntN(54, value) === value ? String(value) : `"${value}"`;
}
