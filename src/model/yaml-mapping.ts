import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from "yaml";
import { isCrimgError, UsageError } from "../io/errors.js";
import { MAX_MESSAGE_DEPTH } from "../io/limits.js";

/** Each is looked up in the whole text, and all that they name is put in their place. */
const MAX_ALIASES = 100;

/**
 * The members of a YAML document that is a mapping, in its order; integers as bigint. An empty document has none.
 * A module of its own, since the parser is only loaded when a recipe is read. Errors: USAGE.
 */
export function parseYamlMapping(text: string, file: string): Map<string, unknown> {
  const fail = (problem: string): never => {
    throw new UsageError(problem, { file });
  };
  try {
    return membersOf(parsed(text, fail), fail);
  } catch (cause) {
    if (isCrimgError(cause)) throw cause;
    throw new UsageError(`no recipe: ${reason(cause)}`, { file, cause });
  }
}

type Fail = (problem: string) => never;

/** The parser's own check of keys and its pretty errors take time in the square of the text. */
function parsed(text: string, fail: Fail): Document {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    intAsBigInt: true,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter,
  });
  const [problem] = document.errors;
  if (problem === undefined) return document;
  const { line, col } = lineCounter.linePos(problem.pos[0]);
  return fail(`no YAML: ${reason(problem)} at line ${line}, column ${col}`);
}

function membersOf(document: Document, fail: Fail): Map<string, unknown> {
  const members = new Map<string, unknown>();
  if (document.contents === null) return members;
  if (!isMap(document.contents))
    return fail("a recipe is a mapping: names of edits, `policies`, `watch`, `vars`");
  assertSane(document, fail);
  for (const { key, value } of document.contents.items)
    members.set(keyText(key), (value as { toJS(within: unknown): unknown } | null)?.toJS(document));
  return members;
}

/** Keys occur once, nothing nests deeper than an image could hold it, aliases are few and none is inside what it names. */
function assertSane(document: Document, fail: Fail): void {
  let aliases = 0;
  const checkDepth = (path: readonly unknown[]): void => {
    if (path.filter(isCollection).length >= MAX_MESSAGE_DEPTH)
      fail(`lists and mappings nest deeper than ${MAX_MESSAGE_DEPTH}`);
  };
  visit(document, {
    Seq: (_, __, path) => checkDepth(path),
    Map: (_, { items }, path) => {
      checkDepth(path);
      const keys = new Set<string>();
      for (const { key } of items) {
        const text = keyText(key);
        if (keys.has(text)) fail(`no YAML: the key ${JSON.stringify(text)} occurs twice`);
        keys.add(text);
      }
    },
    Alias: (_, alias, path: readonly (Document | Node | Pair)[]) => {
      if (++aliases > MAX_ALIASES) fail(`a recipe has at most ${MAX_ALIASES} aliases`);
      const named = alias.resolve(document);
      if (named !== undefined && path.includes(named))
        fail(`no YAML: the alias *${alias.source} stands inside what it names`);
    },
  });
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** The parser goes as deep as the text does. */
function reason(cause: unknown): string {
  const { message } = cause as Error;
  return /call stack/.test(message) ? "it is nested too deeply" : (message.split("\n", 1)[0] as string);
}
