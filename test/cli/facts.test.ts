import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { fixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg facts");
test.after(cleanUp);

const dir = freshDirectory("facts");
const FILE = join(dir, "host.json");

test("-o writes what --json prints, for its owner alone; the verdict by it is the one on the host", async () => {
  const { code, stdout } = await crimg(["facts", "-o", FILE]);
  assert.equal([code, stdout], [0, ""]);
  assert.is(statSync(FILE).mode & 0o7777, 0o600);
  const written = JSON.parse(readFileSync(FILE, "utf8"));
  const { json } = await crimgJson(["facts"]);
  assert.equal(Object.keys(json as object), Object.keys(written));
  const verdict = await crimgJson(["validate", fixture("logger"), "--host"]);
  for (const args of [["--host", FILE], [`--host=${FILE}`]])
    assert.equal(await crimgJson(["validate", fixture("logger"), ...args]), verdict);
});

test("the summary is a table", async () => {
  const { code, stdout } = await crimg(["facts"]);
  assert.is(code, 0);
  assert.match(stdout, /^FACT +VALUE\nhost /);
});

test("--criu is for this machine", async () => {
  const { code, stderr } = await crimg([
    "validate",
    fixture("logger"),
    "--host",
    FILE,
    "--criu",
    "/bin/true",
  ]);
  assert.is(code, 2);
  assert.match(stderr, /--criu is for this machine/);
});

test("--host before an image that is no .json file is the flag alone", async () => {
  const { json } = await crimgJson(["validate", "--host", fixture("logger"), "--only", "PID_MAX"]);
  assert.is((json as { image: string }).image, fixture("logger"));
});

test("facts of a stranger reach the terminal escaped", async () => {
  const facts = JSON.parse(readFileSync(FILE, "utf8"));
  facts.tasks.push("1000 (\u001b[31mred\u009b\u202e) S 1 1 1 1000");
  const forged = join(dir, "forged.json");
  writeFileSync(forged, JSON.stringify(facts));
  const { code, stdout } = await crimg(["validate", fixture("logger"), "--host", forged]);
  assert.is(code, 1);
  assert.match(stdout, /PID_TAKEN/);
  for (const control of ["\u001b", "\u009b", "\u202e"]) assert.not.ok(stdout.includes(control));
});

test.run();
