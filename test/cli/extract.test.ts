import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { fixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg extract");
test.after(cleanUp);

test("all objects are listed; one is written, private, with its holes", async () => {
  const image = fixture("deleted");
  const { code, stdout } = await crimg(["extract", image]);
  assert.is(code, 0);
  assert.match(stdout, /^KIND +SIZE +MESSAGE +NAME\n/);
  assert.match(stdout, /\ndeleted file +64 MiB +\S+\/sparse\n/);
  const file = join(freshDirectory("extract"), "sparse");
  const { json } = await crimgJson(["extract", image, "1000:8", "-o", file]);
  assert.equal((json as { objects: object[] }).objects.length, 1);
  const { size, blocks, mode } = statSync(file);
  assert.equal([size, mode & 0o777], [64 * 1024 * 1024, 0o600]);
  assert.ok(blocks * 512 < 1024 * 1024, "the hole is filled");
  assert.is(readFileSync(file).toString("latin1", 0, 6), "sparse");
});

test("by -D, to stdout; what is missing is told", async () => {
  const image = fixture("deleted");
  const piped = await crimg(["extract", "-D", image, "1000:9", "-o", "-"]);
  assert.equal([piped.code, piped.stdout], [0, "unnamed"]);
  for (const [exit, expected, ...args] of [
    [2, /missing -o FILE/, image, "1000:9"],
    [2, /missing OBJECT/, image, "-o", "x"],
    [1, /no object "nothing"/, image, "nothing", "-o", "-"],
  ] as const) {
    const { code, stderr } = await crimg(["extract", ...args]);
    assert.is(code, exit);
    assert.match(stderr, expected);
  }
});

test.run();
