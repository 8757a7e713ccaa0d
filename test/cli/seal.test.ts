import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { fixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg seal and verify", undefined, 60);
test.after(cleanUp);

test("a private seal that verifies, in JSON too; an edit is named by its record", async () => {
  const to = freshDirectory("seal");
  const [set, seal] = [join(to, "set"), join(to, "seal")];
  fs.cpSync(fixture("logger"), set, { recursive: true });
  const made = await crimg(["seal", set, "-o", seal]);
  assert.equal([made.code, made.stderr], [0, ""]);
  assert.match(made.stdout, /: seal of \d+ files, [0-9a-f]{64}\n$/);
  assert.is(fs.statSync(seal).mode & 0o777, 0o600);
  const same = await crimg(["verify", set, seal]);
  assert.is(same.code, 0);
  assert.match(same.stdout, / is as it was sealed at /);
  const { json } = await crimgJson(["verify", set, seal]);
  assert.equal((json as { readonly differences: unknown }).differences, []);
  assert.is((await crimg(["edit", set, "--comm", "1000=other", "--in-place"])).code, 0);
  const other = await crimg(["verify", set, seal]);
  assert.is(other.code, 1);
  assert.match(other.stdout, /^core-1000\.img: changed: record 0$/m);
  assert.match(other.stdout, /^crimg-edits\.jsonl: added$/m);
});

test("digests are those of sha256sum; archives are sealed; what is no seal is trouble", async () => {
  const to = join(freshDirectory("seal"), "seal");
  const { json } = await crimgJson(["seal", fixture("logger"), "-o", to]);
  const { files } = (
    json as { readonly seal: { readonly files: readonly { name: string; sha256: string }[] } }
  ).seal;
  const names = files.map(({ name }) => name);
  const summed = execFileSync("sha256sum", names, { cwd: fixture("logger"), encoding: "utf8" });
  assert.is(files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(""), summed);
  const archive = fixture("../archives/ticker.tar.zst");
  assert.is((await crimg(["seal", archive, "-o", to])).code, 0);
  assert.is((await crimg(["verify", archive, to])).code, 0);
  const wrong = await crimg(["verify", fixture("logger"), join(fixture("logger"), "pages-1.img")]);
  assert.is(wrong.code, 2);
  assert.match(wrong.stderr, /no seal of crimg/);
});

test.run();
