import { isMap, isScalar, parseDocument } from "yaml";
import { UsageError } from "../io/errors.js";
import { MAX_MESSAGE_DEPTH } from "../io/limits.js";

/**
 * The members of a YAML document that is a mapping, in its order; integers as bigint. An empty document has none.
 * A module of its own, since the parser is only loaded when a recipe is read. Errors: USAGE.
 */
export function parseYamlMapping(text: string, file: string): Map<string, unknown> {
  const document = parseDocument(text, { intAsBigInt: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw new UsageError(`no YAML: ${problem.message.split("\n", 1)[0]}`, { file });
  const members = new Map<string, unknown>();
  if (document.contents === null) return members;
  if (!isMap(document.contents))
    throw new UsageError("a recipe is a mapping: names of edits, `policies`, `watch`, `vars`", { file });
  try {
    for (const { key, value } of document.contents.items)
      members.set(
        String(isScalar(key) ? key.value : key),
        (value as { toJS(within: unknown): unknown } | null)?.toJS(document),
      );
  } catch (cause) {
    throw new UsageError(`no recipe: ${(cause as Error).message}`, { file, cause });
  }
  for (const [key, value] of members) checkNesting(value, file, key);
  return members;
}

/** Errors: USAGE for what an alias puts inside itself, and for what nests deeper than an image could hold. */
function checkNesting(value: unknown, file: string, path: string, around: readonly unknown[] = []): void {
  if (typeof value !== "object" || value === null) return;
  if (around.includes(value)) throw new UsageError("an alias that refers to itself", { file, path });
  if (around.length >= MAX_MESSAGE_DEPTH)
    throw new UsageError(`lists and mappings nest deeper than ${MAX_MESSAGE_DEPTH}`, { file, path });
  for (const inner of Object.values(value)) checkNesting(inner, file, path, [...around, value]);
}
