import { boolean, string } from "@oclif/core/flags";
import { EDIT_KINDS, type Edit, type Policy, recipeEdits } from "../index.js";
import { readRecipe } from "./recipe-file.js";

/** A flag for each kind of edit, each repeatable; they do not take the words behind their value. */
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

/** Flags of the commands that edit: `edit`, and `restore` for the copy that it restores. */
export const EDIT_FLAGS = {
  ...kindFlags(),
  recipe: string({
    char: "f",
    multiple: true,
    multipleNonGreedy: true,
    description:
      "recipe in YAML: edits by name, policies, files to watch; its edits come before those of flags",
    helpValue: "FILE",
    helpGroup: "EDITS",
  }),
  var: string({
    multiple: true,
    multipleNonGreedy: true,
    description: "value for a variable of the recipe",
    helpValue: "NAME=VALUE",
    helpGroup: "EDITS",
    dependsOn: ["recipe"],
  }),
  root: string({
    description: "directory that stands for / when files are looked at [default: /]",
    helpValue: "DIR",
    helpGroup: "EDITS",
  }),
  "allow-unmatched": boolean({
    description: "go on when an edit matches nothing",
    helpGroup: "EDITS",
  }),
};

/** The edits and policies that a command line asks for: those of recipes, then those of flags. Errors: USAGE, IO. */
export async function editsFromFlags(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ readonly edits: Edit[]; readonly policies: Policy[] }> {
  const edits: Edit[] = [];
  const policies: Policy[] = [];
  const variables = (flags.var ?? []) as string[];
  for (const file of (flags.recipe ?? []) as string[]) {
    const recipe = await readRecipe(file, variables);
    edits.push(...recipeEdits(recipe));
    policies.push(...recipe.policies);
  }
  for (const { name } of EDIT_KINDS)
    for (const text of (flags[name] ?? []) as string[]) edits.push({ kind: name, text });
  return { edits, policies };
}
