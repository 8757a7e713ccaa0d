import { boolean, string } from "@oclif/core/flags";
import { EDIT_KINDS, type Edit, type Policy, recipeEdits } from "../index.js";
import { readRecipes } from "./recipe-file.js";

/** A repeatable flag for each kind of edit, each taking one value. */
function kindFlags() {
  return Object.fromEntries(
    EDIT_KINDS.map(({ name, syntax, summary }) => [
      name,
      string({
        multiple: true,
        multipleNonGreedy: true,
        description: summary,
        helpValue: syntax,
        helpGroup: "EDITS",
      }),
    ]),
  ) as Record<string, ReturnType<typeof string>>;
}

/** Flags of `edit`, and of `restore`, which edits a copy. */
export const EDIT_FLAGS = {
  ...kindFlags(),
  recipe: string({
    char: "f",
    multiple: true,
    multipleNonGreedy: true,
    description: "YAML recipe of edits and policies; its edits are applied before those of flags",
    helpValue: "FILE",
    helpGroup: "EDITS",
  }),
  var: string({
    multiple: true,
    multipleNonGreedy: true,
    description: "set a variable of the recipe",
    helpValue: "NAME=VALUE",
    helpGroup: "EDITS",
    dependsOn: ["recipe"],
  }),
  root: string({
    description: "root directory of the tasks' files [default: /]",
    helpValue: "DIR",
    helpGroup: "EDITS",
  }),
  "allow-unmatched": boolean({
    description: "continue if an edit matches nothing",
    helpGroup: "EDITS",
  }),
};

/** The edits and policies of a command line: those of recipes, then those of flags. Errors: USAGE, IO. */
export async function editsFromFlags(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ readonly edits: Edit[]; readonly policies: Policy[] }> {
  const edits: Edit[] = [];
  const policies: Policy[] = [];
  for (const recipe of await readRecipes((flags.recipe ?? []) as string[], (flags.var ?? []) as string[])) {
    edits.push(...recipeEdits(recipe));
    policies.push(...recipe.policies);
  }
  for (const { name } of EDIT_KINDS)
    for (const text of (flags[name] ?? []) as string[]) edits.push({ kind: name, text });
  return { edits, policies };
}
