import { ValueError } from "./encode.js";
import { JsonError, type JsonReader } from "./json-reader.js";

/** A JSON value whose integers are exact; the members of an object in their order. */
export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Far deeper than any document that is read this way. */
const MAX_DEPTH = 16;

/** Reads one value as a whole. Errors: JsonError; ValueError for a key that occurs twice. */
export function readJsonValue(json: JsonReader, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) throw new JsonError(`values nest deeper than ${MAX_DEPTH}`, json.pos);
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
      if (members.has(key)) throw new ValueError("the key occurs twice").within(key);
      members.set(key, readJsonValue(json, depth + 1));
    }
    return members;
  }
  json.skip();
  return null;
}

/** An object. Errors: ValueError that says what was expected. */
export function jsonObject(value: JsonValue, wanted: string): JsonObject {
  if (value instanceof Map) return value as JsonObject;
  throw new ValueError(`${found(value)} found, ${wanted} was expected`);
}

export function jsonList(value: JsonValue, wanted: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  throw new ValueError(`${found(value)} found, ${wanted} was expected`);
}

export function jsonText(value: JsonValue, wanted: string): string {
  if (typeof value === "string") return value;
  throw new ValueError(`${found(value)} found, ${wanted} was expected`);
}

function found(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return { string: "text", boolean: "true or false" }[typeof value as string] ?? "a number";
}
