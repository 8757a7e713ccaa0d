import { FormatError } from "../../io/errors.js";
import { MAX_ENGINE_JSON_BYTES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { bytesToText } from "../../io/text.js";

/** A value of a JSON text that an engine wrote: anything may be there. */
export type Json = unknown;

/** The JSON text of a source. Errors: FormatError INVALID or TOO_LARGE. */
export function readJson(source: ByteSource): Json {
  if (source.size > MAX_ENGINE_JSON_BYTES)
    throw new FormatError(
      "TOO_LARGE",
      `JSON of ${source.size} bytes (expected at most ${MAX_ENGINE_JSON_BYTES})`,
      {
        file: source.name,
      },
    );
  try {
    return JSON.parse(bytesToText(source.read(0, source.size)));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new FormatError("INVALID", "not JSON", { file: source.name, cause });
  }
}

/** The value at a path of keys; undefined where there is none. */
export function at(value: Json, ...keys: readonly string[]): Json {
  let found = value;
  for (const key of keys) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, Json>)[key];
  }
  return found;
}

/** Text at a path of keys; undefined for an empty one too, and for any other value. */
export function textAt(value: Json, ...keys: readonly string[]): string | undefined {
  const found = at(value, ...keys);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** A number at a path of keys. */
export function numberAt(value: Json, ...keys: readonly string[]): number | undefined {
  const found = at(value, ...keys);
  return typeof found === "number" ? found : undefined;
}

/** The list at a path of keys; empty if there is none. */
export function listAt(value: Json, ...keys: readonly string[]): readonly Json[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The texts in the list at a path of keys. */
export function textsAt(value: Json, ...keys: readonly string[]): string[] {
  return listAt(value, ...keys).filter((each) => typeof each === "string");
}

/** The members of the object at a path of keys; none if there is no object. */
export function membersAt(value: Json, ...keys: readonly string[]): [key: string, value: Json][] {
  const found = at(value, ...keys);
  return typeof found === "object" && found !== null && !Array.isArray(found) ? Object.entries(found) : [];
}

/** The texts of the object at a path of keys, by key. */
export function textMapAt(value: Json, ...keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    membersAt(value, ...keys).flatMap(([key, text]): [string, string][] =>
      typeof text === "string" ? [[key, text]] : [],
    ),
  );
}
