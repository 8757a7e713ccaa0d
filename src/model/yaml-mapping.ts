import { isMap, isScalar, parseDocument } from "yaml";
import { UsageError } from "../io/errors.js";

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
  return members;
}
