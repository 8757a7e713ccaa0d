import fs from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { memorySet, pagesWith } from "../helpers/memory-document.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg grep", undefined, 60);
test.after(cleanUp);

/** A set on the disk whose one page holds these texts. */
function setWith(texts: Readonly<Record<number, string>>): string {
  const to = freshDirectory("grep");
  for (const [name, bytes] of memorySet([{ at: 0, pages: 1 }], pagesWith(1, texts)).files)
    fs.writeFileSync(join(to, name), bytes);
  return to;
}

test("0 with matches of several images, set and stream, 1 without; -D names one", async () => {
  const images = [fixture("logger"), streamFixture("logger")];
  const { code, stdout } = await crimg(["grep", "HOME=", ...images]);
  assert.is(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(
    lines.map((line) => images.findIndex((image) => line.startsWith(`${image}: [1000] logger 7fff`))),
    [0, 1],
  );
  assert.equal((await crimg(["grep", "-D", fixture("logger"), "no such text"])).code, 1);
});

test("a match is one line of text or of JSON, whatever memory holds", async () => {
  const image = setWith({ 8: "key\u001b[31m\u202eevil\tkey\r\nkey" });
  const { code, stdout } = await crimg(["grep", "key", image, "-C", "16"]);
  assert.is(code, 0);
  assert.is(stdout.trimEnd().split("\n").length, 3);
  for (const char of "\u001b\u202e\r\0") assert.not.ok(stdout.includes(char), JSON.stringify(char));
  const json = await crimg(["grep", "key", image, "-C", "4", "--json"]);
  const hits = json.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(
    hits.map(({ schema, command, address, file, fileOffset, match, after }) => ({
      schema,
      command,
      address,
      file,
      fileOffset,
      match,
      after,
    }))[0],
    {
      schema: "crimg/1",
      command: "grep",
      address: "0x10000008",
      file: "pages-1.img",
      fileOffset: 8,
      match: "key",
      after: "\u001b[31",
    },
  );
  assert.is(hits.length, 3);
});

test("trouble is 2: a part that is missing, an image that is none, a bad pattern; the rest is searched", async () => {
  const image = setWith({ 8: "key" });
  const mixed = await crimg(["grep", "key", image, "/nonexistent"]);
  assert.is(mixed.code, 2);
  assert.match(mixed.stdout, /10000008/);
  fs.rmSync(join(image, "pages-1.img"));
  const cut = await crimg(["grep", "key", image]);
  assert.equal([cut.code, cut.stdout], [2, ""]);
  assert.match(cut.stderr, /^warning: .*pages-1\.img: missing/);
  const bad = await crimg(["grep", "-e", "(", image]);
  assert.equal([bad.code, bad.stdout], [2, ""]);
  assert.match(bad.stderr, /^error: invalid regular expression/);
  assert.is((await crimg(["grep", "key"])).code, 2);
});

test.run();
