/** What rules advise: commands, views and edits that exist. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { EDIT_KINDS, RULES, VIEWS } from "../../../../src/index.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("advice of rules");

const COMMANDS = readdirSync(fileURLToPath(new URL("../../../../commands", import.meta.url))).map((name) =>
  name.replace(/\.ts$/, ""),
);

function named(pattern: RegExp): Set<string> {
  return new Set(RULES.flatMap(({ fix }) => [...fix.matchAll(pattern)].map(([, name]) => name as string)));
}

function assertKnown(names: ReadonlySet<string>, known: readonly string[], least: number): void {
  assert.ok(names.size >= least, `only ${[...names]}`);
  assert.equal(
    [...names].filter((name) => !known.includes(name)),
    [],
  );
}

test("commands", () => assertKnown(named(/\bcrimg ([a-z]+) (?=[A-Z]|--)/g), COMMANDS, 3));
test("views", () => assertKnown(named(/\bcrimg show IMG ([a-z]+)/g), [...Object.keys(VIEWS), "record"], 2));
test("edits", () => {
  const kinds = EDIT_KINDS.map(({ name }) => `--${name}`);
  assertKnown(named(/\bcrimg edit (?:IMG )?(--[a-z-]+)/g), kinds, 4);
});

test.run();
