import { MAX_RECIPE_BYTES, parseRecipe, type Recipe, UsageError } from "../index.js";
import { readInput } from "./input.js";

/** Reads a recipe; `variables` as `NAME=VALUE`. Errors: USAGE, IO, TOO_LARGE. */
export function readRecipe(file: string, variables: readonly string[]): Promise<Recipe> {
  return parseRecipe(
    readInput(file, MAX_RECIPE_BYTES).toString("utf8"),
    file,
    new Map(variables.map(splitVariable)),
  );
}

function splitVariable(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`invalid --var ${JSON.stringify(text)} (expected NAME=VALUE)`);
  return [text.slice(0, at), text.slice(at + 1)];
}
