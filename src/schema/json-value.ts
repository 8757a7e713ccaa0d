import { ValueError } from "./encode.js";
import { JsonError, type JsonReader } from "./json-reader.js";

/** A JSON value with exact integers; the members of an object are in order. */
export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Far deeper than any document read this way. */
const MAX_DEPTH = 16;

/** Reads one value. Errors: JsonError; ValueError for a duplicate key. */
export function readJsonValue(json: JsonReader, depth = 0): JsonValue {
  if (depth > MAX_DEPTH)
    throw new JsonError(`values are nested too deep (expected at most ${MAX_DEPTH} levels)`, json.pos);
  const kind = json.kind();
  if (kind === "string") return json.string();
  if (kind === "number") return json.integer();
  if (kind === "boolean") return json.boolean();
  if (kind === "array") {
    const list: JsonValue[] = [];
    for (let more = json.open("["); more; more = json.more("]")) list.push(readJsonValue(json, depth + 1));
    return list;
  }
  if (kind === "object") {
    const members = new Map<string, JsonValue>();
    for (let more = json.open("{"); more; more = json.more("}")) {
      const key = json.key();
      if (members.has(key)) throw new ValueError("duplicate key").within(key);
      members.set(key, readJsonValue(json, depth + 1));
    }
    return members;
  }
  json.skip();
  return null;
}

/** An object. Errors: ValueError with what was expected. */
export function jsonObject(value: JsonValue, wanted: string): JsonObject {
  if (value instanceof Map) return value as JsonObject;
  throw new ValueError(`invalid value: ${found(value)} (expected ${wanted})`);
}

export function jsonList(value: JsonValue, wanted: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  throw new ValueError(`invalid value: ${found(value)} (expected ${wanted})`);
}

export function jsonText(value: JsonValue, wanted: string): string {
  if (typeof value === "string") return value;
  throw new ValueError(`invalid value: ${found(value)} (expected ${wanted})`);
}

function found(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return { string: "text", boolean: "true or false" }[typeof value as string] ?? "a number";
}
