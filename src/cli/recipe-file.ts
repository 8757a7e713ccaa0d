import { MAX_RECIPE_BYTES, parseRecipe, type Recipe, UsageError } from "../index.js";
import { readInput } from "./input.js";
import { nearest } from "./nearest.js";

/**
 * Reads recipes; `variables` as `NAME=VALUE`. Errors: USAGE, also for a variable that no recipe knows; IO, TOO_LARGE.
 */
export async function readRecipes(
  files: readonly string[],
  variables: readonly string[],
): Promise<readonly Recipe[]> {
  const given = new Map(variables.map(splitVariable));
  const recipes: Recipe[] = [];
  for (const file of files)
    recipes.push(await parseRecipe(readInput(file, MAX_RECIPE_BYTES).toString("utf8"), file, given));
  const known = [...new Set(recipes.flatMap((recipe) => [...recipe.variables]))];
  for (const name of given.keys()) if (!known.includes(name)) throw unknownVariable(name, known);
  return recipes;
}

function unknownVariable(name: string, known: readonly string[]): UsageError {
  const meant = nearest(name, known);
  const expected = known.length === 0 ? "the recipe has no variables" : `expected ${known.join(", ")}`;
  const advice = meant === undefined ? ` (${expected})` : `; did you mean ${JSON.stringify(meant)}?`;
  return new UsageError(`unknown variable ${JSON.stringify(name)} of --var${advice}`);
}

function splitVariable(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`invalid --var ${JSON.stringify(text)} (expected NAME=VALUE)`);
  return [text.slice(0, at), text.slice(at + 1)];
}
