import { readFileSync } from "node:fs";
import { MemorySource } from "../../../src/io/source.js";
import type { Document } from "../../../src/model/document.js";
import { parseRecipe } from "../../../src/model/recipe.js";
import { openDocument, openStream } from "../../../src/open.js";
import { EDIT_KINDS } from "../../../src/ops/edit/kinds/index.js";
import { planEdits, recipeEdits } from "../../../src/ops/edit/plan-edits.js";
import { validate } from "../../../src/ops/validate/validate.js";
import { extendedStream } from "../../helpers/extended-stream.js";
import { fixture, streamFixture } from "../../helpers/images.js";
import { shownJson } from "../answers.js";
import { edgeText } from "../edges.js";
import type { Family, Mutant } from "../family.js";
import type { Random } from "../random.js";
import { anyEdit } from "./edits.js";

const DOCUMENTS: Readonly<Record<string, () => Document>> = {
  logger: () => openDocument(fixture("logger")),
  locks: () => openDocument(fixture("locks")),
  "locks.ckpt": () => openStream(new MemorySource(readFileSync(streamFixture("locks")), "locks.ckpt")),
  "extended.ckpt": () => openStream(new MemorySource(extendedStream(), "extended.ckpt")),
};

/** Recipes in YAML with whole and broken edits, policies, variables and everything odd that YAML knows. */
export const RECIPES: Family = {
  name: "recipe",
  share: 8,
  mutant({ random, scratch }): Mutant {
    const text = anyRecipe(random);
    const given = new Map(random.chance(0.5) ? [["to", edgeText(random)]] : []);
    const read = () => parseRecipe(text, "recipe.yaml", given);
    return {
      steps: [JSON.stringify(text.length > 500 ? `${text.slice(0, 500)}…` : text)],
      operations: [
        { name: "edit -f", run: async () => recipeEdits(await read()) },
        ...Object.entries(DOCUMENTS).map(([name, open]) => ({
          name: `edit ${name} -f`,
          async run() {
            const recipe = await read();
            const document = open();
            try {
              shownJson(planEdits(document, recipeEdits(recipe), { root: scratch }, recipe.policies).changes);
            } finally {
              document.close();
            }
          },
        })),
        {
          name: "validate --policy",
          async run() {
            const { watch } = await read();
            const document = openDocument(fixture("logger"));
            try {
              shownJson(validate(document, { root: scratch, watch }));
            } finally {
              document.close();
            }
          },
        },
      ],
    };
  },
};

function anyRecipe(random: Random): string {
  const parts = Array.from({ length: 1 + random.below(4) }, () => random.pick(PARTS)(random));
  const text = `${parts.join("\n")}\n`;
  if (random.chance(0.8)) return text;
  const at = random.below(text.length);
  return text.slice(0, at) + edgeText(random) + text.slice(at + random.below(4));
}

const PARTS: readonly ((random: Random) => string)[] = [
  edits,
  edits,
  edits,
  policies,
  policies,
  vars,
  watch,
  odd,
  odd,
];

function scalar(random: Random, text: string): string {
  return random.pick([
    JSON.stringify(text),
    JSON.stringify(text),
    text,
    `>-\n    ${text}`,
    `'${text}'`,
    `\${to}`,
    `$$\${x}`,
  ]);
}

function edits(random: Random): string {
  const { name } = random.pick(EDIT_KINDS);
  const texts = Array.from({ length: 1 + random.below(3) }, () => anyEdit(name, random).text);
  const form = random.below(3);
  if (form === 0) return `${name}: ${scalar(random, texts[0] as string)}`;
  if (form === 1) return `${name}:\n${texts.map((text) => `  - ${scalar(random, text)}`).join("\n")}`;
  const pairs = texts.map((text) => text.split("="));
  return `${name}:\n${pairs.map(([key, value]) => `  ${JSON.stringify(key)}: ${scalar(random, value ?? "1")}`).join("\n")}`;
}

function policies(random: Random): string {
  const keys = {
    path: ["/**", "*", "[", "/var/*.log", "*".repeat(12), "{a,b"],
    type: ["REG", "file", "socket", "x"],
  };
  const lines = [
    `  - action: ${random.pick(["remap", "accept", "drop", "close", "reopen", "error", "ignore", "x"])}`,
    ...(random.chance(0.7) ? [`    path: ${scalar(random, random.pick(keys.path))}`] : []),
    ...(random.chance(0.3) ? [`    type: ${random.pick(keys.type)}`] : []),
    ...(random.chance(0.3) ? [`    fd: ${random.pick(["1", "1000:4", "-1", "99999999999"])}`] : []),
    ...(random.chance(0.5) ? [`    to: ${scalar(random, random.pick(["/srv/", "/x", `\${to}`]))}`] : []),
    ...(random.chance(0.1) ? ["    append: true"] : []),
  ];
  return `policies:\n${lines.join("\n")}`;
}

function vars(random: Random): string {
  return random.pick([
    "vars: {to: /srv, x: 1}",
    `vars: {x: '\${to}', to: '\${x}'}`,
    `vars: {x: '\${x}'}`,
    "vars: {__proto__: a, constructor: b}",
    `vars: {to: ${scalar(random, edgeText(random))}}`,
    "vars: [1]",
  ]);
}

function watch(random: Random): string {
  return `watch: ${random.pick(["/etc/*", "[a, '/**']", "{}", "'['", "~"])}`;
}

/** What YAML has beside text, lists and mappings. */
function odd(random: Random): string {
  const { name } = random.pick(EDIT_KINDS);
  return random.pick([
    `${name}: &a [*a]`,
    `${name}: &a {k: *a}`,
    `set: &a {"files.img[3].reg.name": {x: *a}}`,
    `set: {"files.img[3].reg": &b [1, *b]}`,
    `${name}: !!binary AAAA`,
    `${name}: !!set {a, b}`,
    `${name}: !!timestamp 2026-01-01`,
    `${name}: !!map []`,
    `? [a, b]\n: c`,
    `? {a: b}\n: c`,
    `<<: {${name}: x}`,
    `${name}: 0x${"f".repeat(30)}`,
    `${name}: ${"9".repeat(400)}`,
    `${name}: .nan`,
    `${name}: 1e999`,
    `${name}: ${"[".repeat(random.pick([10, 3000]))}`,
    `${name}: ${"{a: ".repeat(random.pick([10, 3000]))}`,
    `set: {"files.img[3].reg.name": ${"[".repeat(2000)}1${"]".repeat(2000)}}`,
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nset: &d {k: [*c,*c,*c,*c,*c,*c,*c,*c,*c]}`,
    `${name}: *nothing`,
    "--- a\n--- b",
    "%YAML 9.9\n---\n{}",
    `${name}: x\n${name}: y`,
    "null: 1",
    "1: 2",
    "__proto__: {x: 1}",
    "\t- x",
  ]);
}
