import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { HAND_WRITTEN, manualPages } from "../../scripts/man.js";
import { commandManifest } from "../../scripts/manifest.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const test = suite("manual and manifest", { pages: new Map<string, string>() });

test.before(async (context) => {
  context.pages = await manualPages();
});

test("every generated page is current", ({ pages }) => {
  for (const [path, text] of pages) assert.ok(read(path) === text, `${path} is not current: npm run man`);
});

test("there is no page that nothing describes any more, and npm installs them all", ({ pages }) => {
  const there = (readdirSync(join(ROOT, "man"), { recursive: true }) as string[])
    .filter((name) => /\.\d$/.test(name))
    .map((name) => join("man", name))
    .sort();
  assert.equal(there, [...pages.keys(), ...HAND_WRITTEN].sort());
  assert.equal(
    JSON.parse(read("package.json")).man,
    there.map((path) => `./${path}`),
  );
});

test("the manifest of the built program is current", async () => {
  assert.equal(JSON.parse(read("oclif.manifest.json")), JSON.parse(JSON.stringify(await commandManifest())));
});

test("every command says what it does, shows how, and documents its JSON", async () => {
  const { commands } = await commandManifest();
  for (const command of Object.values(commands).filter(({ hidden }) => !hidden)) {
    assert.match(command.summary ?? "", /^[a-z].*[^.]$/, `${command.id}: summary is no lower-case fragment`);
    assert.ok((command.description ?? "").length > 80, `${command.id}: no description`);
    assert.ok((command.examples ?? []).length > 0, `${command.id}: no examples`);
    assert.ok(
      Object.keys((command as { json?: object }).json ?? {}).length > 0,
      `${command.id}: no json keys`,
    );
    for (const flag of Object.values(command.flags))
      assert.ok(flag.description, `${command.id} --${flag.name}: no description`);
  }
});

test("every error code is documented", () => {
  const codes = read("src/io/errors.ts").match(/(?<=\| ")[A-Z_]+(?=")/g) ?? [];
  assert.ok(codes.length > 5);
  for (const code of codes) assert.ok(read(HAND_WRITTEN[0] as string).includes(`.B ${code}\n`), code);
});

test.run();
