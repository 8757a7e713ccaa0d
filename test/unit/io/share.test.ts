import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { FileSharer } from "../../../src/io/share.js";
import { FileSource } from "../../../src/io/source.js";
import { SplicedSource } from "../../../src/io/splice.js";
import { rebasedLink, writeSource } from "../../../src/io/write-file.js";
import { assertBytes } from "../../helpers/bytes.js";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/share");
test.after(cleanUp);

function original(size = 5000): { directory: string; file: string } {
  const directory = freshDirectory("share");
  const file = path.join(directory, "original");
  fs.writeFileSync(file, Buffer.alloc(size, "x"));
  fs.chmodSync(file, 0o640);
  return { directory, file };
}

test("without a reflink, a hard link if allowed, else a copy; the bytes are the same, and a copy is private", () => {
  const { directory, file } = original();
  for (const hardLink of [true, false]) {
    const to = path.join(directory, `shared-${hardLink}`);
    const how = new FileSharer().share(file, to, { hardLink, copy: false });
    assert.ok(how === "reflink" || how === (hardLink ? "hard link" : "copy"), how);
    assert.is(fs.statSync(to).ino === fs.statSync(file).ino, how === "hard link");
    assertBytes(fs.readFileSync(to), fs.readFileSync(file));
    assert.is(fs.statSync(to).mode & 0o777, how === "hard link" ? 0o640 : 0o600);
  }
});

test("a copy is a copy when asked for", () => {
  const { directory, file } = original();
  const to = path.join(directory, "copy");
  assert.is(new FileSharer().share(file, to, { hardLink: true, copy: true }), "copy");
  fs.writeFileSync(to, "other");
  assert.is(fs.statSync(file).size, 5000);
});

test("an existing file is not written over", () => {
  const { directory, file } = original();
  const to = path.join(directory, "there");
  fs.writeFileSync(to, "mine");
  for (const copy of [true, false])
    assert.throws(() => new FileSharer().share(file, to, { hardLink: true, copy }), /EEXIST/);
  assert.is(fs.readFileSync(to, "utf8"), "mine");
});

test("no link is followed, and nothing but a regular file is shared", () => {
  const { directory, file } = original();
  const [link, to] = [path.join(directory, "link"), path.join(directory, "to")];
  fs.symlinkSync(file, link);
  for (const options of [
    { hardLink: true, copy: false },
    { hardLink: false, copy: true },
  ]) {
    assert.throws(() => new FileSharer().share(link, to, options), /too many symbolic links \(ELOOP\)/);
    assert.throws(() => new FileSharer().share(directory, to, options), /not a regular file/);
    assert.not.ok(fs.existsSync(to));
  }
});

test("a large stream is patched in a clone when it was named by a link", () => {
  const { directory, file } = original(3 * 1024 * 1024);
  const [link, to] = [path.join(directory, "link"), path.join(directory, "to")];
  fs.symlinkSync(file, link);
  const patch = { offset: 5, size: 3, bytes: Buffer.from("abc") };
  writeSource(to, new SplicedSource(new FileSource(link), [patch]), { like: file, sync: false });
  assert.is(fs.readFileSync(to).toString("latin1", 4, 9), "xabcx");
});

test("a large file that keeps its length is patched in a clone, never in the original", () => {
  const { directory, file } = original(3 * 1024 * 1024);
  const link = path.join(directory, "link");
  fs.linkSync(file, link);
  const patch = { offset: 1_500_000, size: 3, bytes: Buffer.from("abc") };
  const to = path.join(directory, "patched");
  const first = new SplicedSource(new FileSource(file), [{ ...patch, bytes: Buffer.from("123") }]);
  writeSource(to, new SplicedSource(first, [patch]), { like: file, sync: false });
  const expected = Buffer.alloc(3 * 1024 * 1024, "x");
  assertBytes(fs.readFileSync(link), expected);
  expected.write("abc", 1_500_000);
  assertBytes(fs.readFileSync(to), expected);
  assert.is(fs.statSync(to).mode & 0o777, 0o640);
});

test("a relative link leads to the same place from elsewhere", () => {
  assert.is(rebasedLink("../1", "/sets/2", "/other/place/2"), "../../../sets/1");
  assert.is(rebasedLink("/abs/1", "/sets/2", "/other/2"), "/abs/1");
  assert.is(rebasedLink("pages-1.img", "/sets/2", "/other/2"), "pages-1.img");
});

test.run();
