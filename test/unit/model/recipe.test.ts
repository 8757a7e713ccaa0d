import * as assert from "uvu/assert";
import { isCrimgError } from "../../../src/io/errors.js";
import { policyFinder } from "../../../src/model/policy.js";
import { parseRecipe } from "../../../src/model/recipe.js";
import { openDocument } from "../../../src/open.js";
import { EDIT_KINDS } from "../../../src/ops/edit/kinds/index.js";
import { planEdits, recipeEdits } from "../../../src/ops/edit/plan-edits.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/model/recipe");

test("an empty file is an empty recipe", async () => {
  const empty = { edits: [], policies: [], watch: [], variables: new Set() };
  assert.equal(await parseRecipe("# nothing\n", "r"), empty);
});

test("edits keep the order of the file; one text, a list and a mapping all do", async () => {
  const { edits } = await parseRecipe("hostname: web2\nset: {a: 1, b: true}\nfd: ['1:1=/x']\n", "r");
  assert.equal(edits, [
    { kind: "hostname", key: undefined, value: "web2" },
    { kind: "set", key: "a", value: "1" },
    { kind: "set", key: "b", value: "true" },
    { kind: "fd", key: undefined, value: "1:1=/x" },
  ]);
});

test("variables: the recipe's own, overruled from outside; a dollar is two", async () => {
  const text = `vars: {a: /x, b: 1}\nwatch: ['\${a}/*.tmp', '$$a', '\${c}\${b}']\n`;
  const { watch } = await parseRecipe(
    text,
    "r",
    new Map([
      ["c", "3"],
      ["b", "2"],
    ]),
  );
  assert.equal(watch, ["/x/*.tmp", "$a", "32"]);
});

const BAD: readonly [string, RegExp][] = [
  ["[1, 2]", /a recipe is a mapping/],
  ["a: [", /no YAML/],
  ["a: 1\na: 2", /no YAML: the key "a" occurs twice/],
  ["set: &a\n  b: *a", /the alias \*a stands inside what it names/],
  ["a: &a [*a, *a]", /the alias \*a stands inside what it names/],
  ["<<: &a {<<: *a}", /the alias \*a stands inside what it names/],
  ["vars: &v {a: *v}", /the alias \*v stands inside what it names/],
  ["vars: {a: '\u0024{a}'}", /\$\{a\} is not set/],
  ["vars: {a: '\u0024{b}', b: '\u0024{a}'}", /\$\{b\} is not set/],
  [`watch: ['\${x}']`, /\$\{x\} is not set; use --var x=VALUE.*\(in watch\[0\]\)/],
  ["policies: [&a {path: *a}]", /the alias \*a stands inside what it names/],
  [`set: {a: ${"[".repeat(200)}1${"]".repeat(200)}}`, /nest deeper than 64/],
  ["watch: [null]", /nothing found, text was expected/],
  ["watch: [[1]]", /a structure found/],
  ["policies: {}", /a list was expected/],
  ["policies: [1]", /a mapping was expected/],
  ["policies: [{path: /x}]", /an action is missing/],
  ["policies: [{path: /x, action: delete}]", /invalid action "delete" \(expected remap, accept/],
  ["policies: [{action: drop}]", /which descriptors are meant/],
  ["policies: [{path: /x, action: remap}]", /remap needs `to`/],
  ["policies: [{fd: x, action: drop}]", /neither FD nor PID:FD/],
  ["policies: [{path: /x, action: drop, when: now}]", /a policy has no "when"/],
];
for (const [text, expected] of BAD) {
  test(`${text.replaceAll("\n", " ")} is refused with its place`, async () => {
    try {
      await parseRecipe(text, "r");
    } catch (error) {
      assert.match((error as Error).message, expected);
      assert.is((error as { code: string }).code, "USAGE");
      return;
    }
    assert.unreachable();
  });
}

for (const [what, text] of [
  ["variables that double", doubling(60)],
  ["lists in lists", `a: ${"[".repeat(20_000)}`],
  ["keys of keys", "? ".repeat(20_000)],
  ["many anchors of one node", "&a ".repeat(20_000)],
  ["many aliases", `a: &a x\nb: [${"*a, ".repeat(20_000)}]`],
  ["too many bytes", `a: ${"x".repeat(300_000)}`],
] as const)
  test(`${what}: a sentence within seconds`, async () => {
    const start = performance.now();
    try {
      await parseRecipe(text, "r");
      assert.unreachable();
    } catch (error) {
      assert.is((error as { code?: string }).code, "USAGE", String(error));
      assert.not.match((error as Error).message, /call stack|\n/);
    }
    assert.ok(performance.now() - start < 10_000);
  });

test("as many edits as fit take no more than a few seconds", async () => {
  const text = `set:\n${Array.from({ length: 22_000 }, (_, i) => ` k${i}: v\n`).join("")}`;
  const start = performance.now();
  assert.is((await parseRecipe(text, "r")).edits.length > 20_000, true);
  assert.ok(performance.now() - start < 10_000);
});

/** Each variable is twice the one before it. */
function doubling(steps: number): string {
  const lines = Array.from({ length: steps }, (_, i) => `  a${i + 1}: "\${a${i}}\${a${i}}"`);
  return `vars:\n  a0: xxxx\n${lines.join("\n")}\n`;
}

test("aliases cannot blow a recipe up", async () => {
  let text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let i = 1; i < 12; i++)
    text += `b${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]\n`;
  try {
    await parseRecipe(text, "r");
  } catch (error) {
    assert.is((error as { code: string }).code, "USAGE", String(error));
    return;
  }
  assert.unreachable();
});

test("policies match by path, type and descriptor, all that are given", async () => {
  const { policies } = await parseRecipe(
    "policies: [{path: /t/*, type: file, fd: 3, action: drop}, {type: socket, action: close}, {fd: '7:9', action: error}]",
    "r",
  );
  const find = policyFinder(policies);
  const at = (pid: number, fd: number, type: string, path?: string) => find({ pid, fd, type, path })?.action;
  assert.is(at(1, 3, "REG", "/t/x"), "drop");
  assert.is(at(1, 4, "REG", "/t/x"), undefined);
  assert.is(at(1, 3, "FIFO", "/t/x"), undefined);
  assert.is(at(1, 3, "UNIXSK"), "drop");
  assert.is(at(7, 9, "REG", "/t/x"), "error");
  assert.throws(
    () => policyFinder([{ ...(policies[0] as (typeof policies)[number]), type: "files" }]),
    /invalid descriptor type/,
  );
});

test("a lone surrogate, which stands for no byte, is refused by the edits that it comes to", async () => {
  for (const { name } of EDIT_KINDS) {
    const text = `${name}: ["\\ud800", "1000=\\ud800", "/a=/\\ud800", "1000:PATH=\\ud800", "1000:4=/\\ud800"]\n`;
    for (const edit of recipeEdits(await parseRecipe(text, "r"))) {
      try {
        planEdits(openDocument("fixtures/criu/logger"), [edit]);
        assert.unreachable(`${edit.kind} ${edit.text}`);
      } catch (error) {
        assert.ok(isCrimgError(error), String(error));
      }
    }
  }
});

test.run();
