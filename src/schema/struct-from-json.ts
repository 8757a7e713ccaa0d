import { textToBytes } from "../io/text.js";
import { ValueError } from "./encode.js";
import { inField } from "./from-json.js";
import { parseBase64 } from "./json-bytes.js";
import { enumValue, flagsValue, parseInteger } from "./json-numbers.js";
import { type JsonObject, type JsonValue, jsonList, jsonObject, jsonText } from "./json-value.js";
import type { StructField, StructTable } from "./struct.js";

/**
 * The fields of a structure from the JSON of `structJson`, as far as present; numbers may also be text in any base, or
 * names. Their ranges are checked when the structure is written.
 * Errors: ValueError with the field's path, also for an unknown key, unless `lax`.
 */
export function structFromJson(
  table: StructTable,
  members: JsonObject,
  { lax }: { readonly lax: boolean },
): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, item] of members) {
    const field = Object.hasOwn(table.fields, name) ? table.fields[name] : undefined;
    if (field !== undefined) value[name] = inField(name, () => fieldValue(field, item, lax));
    else if (!lax) {
      const names = Object.keys(table.fields).join(", ");
      throw new ValueError(
        `unknown field ${JSON.stringify(name)} of ${table.name} (expected ${names})`,
      ).within(name);
    }
  }
  return value;
}

/** The value of one number field, as in `structFromJson`. */
export function numberFromJson(field: StructField, value: JsonValue): number | bigint {
  const { type, names, show } = field;
  const isWide = type === "u64" || type === "s64";
  const number = typeof value === "string" ? numberOf(value) : value;
  if (typeof number !== "number" && typeof number !== "bigint") throw new ValueError("not a number");
  return isWide ? BigInt(number) : number;

  function numberOf(text: string): number | bigint {
    if (names !== undefined) return enumValue(names, text);
    const exact = show?.as === "flags" ? flagsValue(show.table, text) : parseInteger(text);
    return BigInt.asIntN(53, exact) === exact ? Number(exact) : exact;
  }
}

function fieldValue(field: StructField, value: JsonValue, lax: boolean): unknown {
  if (field.count === undefined) return elementValue(field, value, lax);
  return jsonList(value, `a list of ${field.count} values`).map((item, i) => {
    try {
      return elementValue(field, item, lax);
    } catch (error) {
      if (error instanceof ValueError) error.path = `[${i}]${error.path}`;
      throw error;
    }
  });
}

function elementValue(field: StructField, value: JsonValue, lax: boolean): unknown {
  const { type } = field;
  if (typeof type === "object") {
    return structFromJson(type, jsonObject(value, `a ${type.name}`), { lax });
  }
  if (type === "bytes") return parseBase64(jsonText(value, "base64"));
  if (type === "text") return textWithBytes(jsonText(value, "text"));
  return numberFromJson(field, value);
}

/** Errors: ValueError for an invalid lone surrogate. */
export function textWithBytes(text: string): string {
  try {
    textToBytes(text);
  } catch (error) {
    throw new ValueError((error as Error).message);
  }
  return text;
}
