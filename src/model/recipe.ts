import { UsageError } from "../io/errors.js";
import { MAX_RECIPE_BYTES } from "../io/limits.js";
import { ACTIONS, POLICY_ACTION_WORDS, type Policy } from "./policy.js";

/** An edit of a recipe: the kind's name, and its text or the two sides of a mapping's line. */
export interface RecipeEdit {
  readonly kind: string;
  readonly key: string | undefined;
  readonly value: string;
}

/** What a recipe file says; see crimg-edit(1). */
export interface Recipe {
  /** In the order of the file. */
  readonly edits: readonly RecipeEdit[];
  /** The first one that matches a descriptor decides. */
  readonly policies: readonly Policy[];
  /** Patterns of files that no descriptor names and that the program expects back. */
  readonly watch: readonly string[];
  /** Names of the variables that the recipe sets or refers to. */
  readonly variables: ReadonlySet<string>;
}

/** Sixteen times the longest recipe. */
const MAX_EXPANDED_CHARACTERS = 16 * MAX_RECIPE_BYTES;

/**
 * Reads a recipe in YAML: the names of edits as keys, each with one text, a list of texts or a mapping; `policies`,
 * `watch` and `vars`. `${name}` stands for a variable (`vars` of the recipe, which `variables` overrule) and `$$` for a
 * dollar. `name` is the file's name for messages. Errors: USAGE.
 */
export async function parseRecipe(
  text: string,
  name: string,
  variables: ReadonlyMap<string, string> = new Map(),
): Promise<Recipe> {
  if (text.length > MAX_RECIPE_BYTES)
    throw new UsageError(`a recipe has at most ${MAX_RECIPE_BYTES} bytes, this one has ${text.length}`, {
      file: name,
    });
  const { parseYamlMapping } = await import("./yaml-mapping.js");
  return readTop(parseYamlMapping(text, name), new Reader(name, variables));
}

function readTop(top: ReadonlyMap<string, unknown>, reader: Reader): Recipe {
  reader.define(top.get("vars"));
  const edits: RecipeEdit[] = [];
  let policies: Policy[] = [];
  let watch: string[] = [];
  for (const [key, value] of top) {
    if (key === "vars") continue;
    if (key === "watch") watch = reader.texts("watch", value);
    else if (key === "policies") policies = reader.policies(value);
    else edits.push(...reader.edits(key, value));
  }
  return { edits, policies, watch, variables: reader.known };
}

class Reader {
  /** Names that `vars` sets or a text refers to. */
  readonly known = new Set<string>();
  readonly #variables = new Map<string, string>();
  #putIn = 0;

  constructor(
    readonly name: string,
    readonly given: ReadonlyMap<string, string>,
  ) {}

  define(vars: unknown): void {
    for (const [key, value] of vars === undefined ? [] : this.#entries("vars", vars)) {
      this.known.add(key);
      this.#variables.set(key, this.given.get(key) ?? this.#text(`vars.${key}`, value));
    }
    for (const [key, value] of this.given) this.#variables.set(key, value);
  }

  edits(kind: string, value: unknown): RecipeEdit[] {
    if (isMapping(value))
      return this.#entries(kind, value).map(([key, each]) => ({
        kind,
        key: this.#expand(key, kind),
        value: this.#value(`${kind}.${key}`, each),
      }));
    return this.texts(kind, value).map((text) => ({ kind, key: undefined, value: text }));
  }

  texts(place: string, value: unknown): string[] {
    const list = Array.isArray(value) ? value : [value];
    return list.map((item, i) => this.#text(Array.isArray(value) ? `${place}[${i}]` : place, item));
  }

  policies(value: unknown): Policy[] {
    if (!Array.isArray(value)) this.#fail("policies", "a list was expected");
    return value.map((item, i) => this.#policy(`policies[${i}]`, item));
  }

  #policy(place: string, item: unknown): Policy {
    const members = new Map(
      this.#entries(place, item).map(([key, value]) => [key, this.#text(`${place}.${key}`, value)]),
    );
    for (const key of members.keys())
      if (!["path", "type", "fd", "action", "to", "append"].includes(key))
        this.#fail(
          place,
          `a policy has no ${JSON.stringify(key)}; it has path, type, fd, action, to, append`,
        );
    const word = members.get("action") ?? this.#fail(place, `an action is missing: ${ACTIONS.join(", ")}`);
    const action = POLICY_ACTION_WORDS.get(word);
    if (action === undefined)
      this.#fail(place, `invalid action ${JSON.stringify(word)} (expected ${ACTIONS.join(", ")})`);
    const [path, type, fd, to] = ["path", "type", "fd", "to"].map((key) => members.get(key));
    if (path === undefined && type === undefined && fd === undefined)
      this.#fail(place, "path, type or fd must say which descriptors are meant");
    if (action === "remap" && to === undefined) this.#fail(place, "remap needs `to`, the new path");
    if (fd !== undefined && !/^(\d+:)?\d+$/.test(fd))
      this.#fail(place, `${JSON.stringify(fd)} is neither FD nor PID:FD`);
    return { path, type, fd, action, to, append: members.get("append") === "true" };
  }

  /** A value of a mapping; one with structure becomes JSON, for `set`. */
  #value(place: string, value: unknown): string {
    if (typeof value !== "object" || value === null) return this.#text(place, value);
    return this.#expand(toJson(value), place);
  }

  #text(place: string, value: unknown): string {
    if (typeof value === "string") return this.#expand(value, place);
    if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean")
      return String(value);
    this.#fail(
      place,
      `${value === null || value === undefined ? "nothing" : "a structure"} found, text was expected`,
    );
  }

  #entries(place: string, value: unknown): [string, unknown][] {
    if (!isMapping(value)) this.#fail(place, "a mapping was expected");
    return Object.entries(value);
  }

  /** What variables put in counts over the whole recipe: texts that double from one to the next would fill all memory. */
  #expand(text: string, place: string): string {
    return text.replace(/\$\$|\$\{([^}]*)\}/g, (found, key: string | undefined) => {
      if (key === undefined) return "$";
      this.known.add(key);
      const value =
        this.#variables.get(key) ??
        this.#fail(place, `the variable ${found} is not set; use --var ${key}=VALUE`);
      this.#putIn += value.length;
      if (this.#putIn > MAX_EXPANDED_CHARACTERS)
        this.#fail(
          place,
          `the variables put more than ${MAX_EXPANDED_CHARACTERS} characters into the recipe`,
        );
      return value;
    });
  }

  #fail(place: string, text: string): never {
    throw new UsageError(text, { file: this.name, path: place });
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON with integers of any size, which YAML gave as bigint. */
function toJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(toJson).join(",")}]`;
  if (isMapping(value))
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}:${toJson(item)}`)
      .join(",")}}`;
  return JSON.stringify(value ?? null);
}
