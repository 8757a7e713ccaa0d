import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Lets what imports names from the library's index import them from the files behind it. esbuild assigns whole files
 * to chunks, so each command would load all of the library otherwise.
 */
export function directImports(index: string): Plugin {
  const homes = exportsOf(index);
  return {
    name: "direct-imports",
    setup(build) {
      build.onLoad({ filter: /\/(bin|commands|src\/cli)\/.*\.m?ts$/ }, ({ path }) => ({
        contents: rewrite(readFileSync(path, "utf8"), path, index, homes),
        loader: "ts",
      }));
    },
  };
}

/** Name under which `index` exports something → the file it stands in, and its name there. */
type Homes = ReadonlyMap<string, { readonly file: string; readonly name: string }>;

const FROM = /(?:import|export)\s*(type\s)?\s*(\*|\{[^}]*\})\s*from\s*"([^"]+)";/g;
const DECLARED = /^export (?:abstract )?(?:class|const|function\*?|async function) (\w+)/gm;

function exportsOf(index: string): Homes {
  const homes = new Map<string, { file: string; name: string }>();
  for (const [, typeOnly, what, from] of readFileSync(index, "utf8").matchAll(FROM)) {
    if (typeOnly) continue;
    const file = resolve(dirname(index), (from as string).replace(/\.js$/, ".ts"));
    const names =
      what === "*"
        ? [...readFileSync(file, "utf8").matchAll(DECLARED)].map(
            ([, name]) => [name, name] as [string, string],
          )
        : namesIn(what as string);
    for (const [name, as] of names) homes.set(as, { file, name });
  }
  return homes;
}

/** The values of `{ a, type B, c as d }`: name and name here. */
function namesIn(list: string): [string, string][] {
  return list
    .slice(1, -1)
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("type "))
    .map((each) => {
      const [name, as = name] = each.split(/\s+as\s+/) as [string, string?];
      return [name, as as string];
    });
}

function rewrite(text: string, path: string, index: string, homes: Homes): string {
  return text.replace(FROM, (statement, typeOnly: string | undefined, what: string, from: string) => {
    if (typeOnly || what === "*" || resolve(dirname(path), from.replace(/\.js$/, ".ts")) !== index)
      return statement;
    return namesIn(what)
      .map(([name, as]) => {
        const home = homes.get(name);
        if (home === undefined) throw new Error(`${path}: the library exports no ${name}`);
        const file = relative(dirname(path), home.file);
        return `import { ${home.name} as ${as} } from "${file.startsWith(".") ? file : `./${file}`}";`;
      })
      .join(" ");
  });
}
