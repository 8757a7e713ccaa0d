import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { recoverInPlace, replaceInPlace } from "../../../src/io/in-place.js";
import { ownerToken } from "../../../src/io/owner.js";
import { type ByteSource, MemorySource } from "../../../src/io/source.js";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/in-place");
test.after(cleanUp);

const OLD = { a: "old a", b: "old b", c: "old c", other: "other" };
const NEW = { a: "new a", b: "new b", other: "other" };
/** The pid of no process: the largest that Linux gives is 2^22. */
const DEAD = `${2 ** 22 + 1}-1-00000000`;

function oldSet(): string {
  const directory = freshDirectory("in-place");
  for (const [name, text] of Object.entries(OLD)) fs.writeFileSync(path.join(directory, name), text);
  return directory;
}

function contents(directory: string): Record<string, string> {
  return Object.fromEntries(
    fs.readdirSync(directory).map((name) => [name, fs.readFileSync(path.join(directory, name), "utf8")]),
  );
}

const replacements = () =>
  new Map([
    ["a", new MemorySource(Buffer.from("new a"), "a")],
    ["b", new MemorySource(Buffer.from("new b"), "b")],
    ["c", null],
  ]);

test("files are replaced and removed, the others stay, nothing is left behind", () => {
  const directory = oldSet();
  fs.chmodSync(path.join(directory, "a"), 0o640);
  replaceInPlace(directory, replacements(), () => true);
  assert.equal(contents(directory), NEW);
  assert.is(fs.statSync(path.join(directory, "a")).mode & 0o777, 0o640);
});

test("a hard link of a replaced file keeps the old bytes", () => {
  const directory = oldSet();
  const link = path.join(freshDirectory("link"), "a");
  fs.linkSync(path.join(directory, "a"), link);
  replaceInPlace(directory, replacements(), () => true);
  assert.is(fs.readFileSync(link, "utf8"), "old a");
});

test("nothing is done when the files have changed meanwhile", () => {
  const directory = oldSet();
  assert.throws(() => replaceInPlace(directory, replacements(), () => false), /changed by another program/);
  assert.equal(contents(directory), OLD);
});

test("a file that cannot be read leaves the old set", () => {
  const directory = oldSet();
  const unreadable = (): Buffer => {
    throw new Error("unreadable");
  };
  const files = new Map<string, ByteSource>([
    ["a", new MemorySource(Buffer.from("new a"), "a")],
    ["b", { name: "b", size: 10, read: unreadable, close() {} }],
  ]);
  assert.throws(() => replaceInPlace(directory, files, () => true));
  assert.equal(contents(directory), OLD);
});

/** The state of a set whose writer was killed: `staged` files are still in the lock directory. */
function interrupted(owner: string, steps: { committed: boolean; renamed: number }): string {
  const directory = oldSet();
  const lock = path.join(directory, ".crimg-edit");
  fs.mkdirSync(lock);
  fs.writeFileSync(path.join(lock, "owner"), owner);
  const replace = ["a", "b"].map((name, i) => ({ staged: `${owner}-${i}`, name }));
  for (const { staged, name } of replace) fs.writeFileSync(path.join(lock, staged), `new ${name}`);
  const commit = JSON.stringify({ replace, remove: ["c"] });
  fs.writeFileSync(path.join(lock, steps.committed ? "commit" : "commit.new"), commit);
  for (const { staged, name } of replace.slice(0, steps.renamed))
    fs.renameSync(path.join(lock, staged), path.join(directory, name));
  if (steps.renamed > replace.length) fs.unlinkSync(path.join(directory, "c"));
  return directory;
}

for (const renamed of [0, 1, 2, 3]) {
  test(`killed after the commit and ${renamed} of 3 steps: the next reader makes it the new set`, () => {
    const directory = interrupted(DEAD, { committed: true, renamed });
    recoverInPlace(directory);
    assert.equal(contents(directory), NEW);
    recoverInPlace(directory);
    assert.equal(contents(directory), NEW);
  });
}

test("killed while cleaning up: the new set stays", () => {
  for (const left of [["commit"], ["owner"], []]) {
    const directory = interrupted(DEAD, { committed: true, renamed: 3 });
    const lock = path.join(directory, ".crimg-edit");
    for (const name of ["commit", "owner"]) if (!left.includes(name)) fs.unlinkSync(path.join(lock, name));
    recoverInPlace(directory);
    assert.equal(contents(directory), NEW);
  }
});

test("killed before the commit: the next reader takes what is left away, the set is the old one", () => {
  const directory = interrupted(DEAD, { committed: false, renamed: 0 });
  recoverInPlace(directory);
  assert.equal(contents(directory), OLD);
});

test("killed while files are staged: the same", () => {
  const directory = oldSet();
  const stage = path.join(directory, `.crimg-stage-${DEAD}`);
  fs.mkdirSync(stage);
  fs.writeFileSync(path.join(stage, `${DEAD}-0`), "ne");
  recoverInPlace(directory);
  assert.equal(contents(directory), OLD);
});

test("a writer that is alive is left alone, and a second one is refused", () => {
  const directory = interrupted(ownerToken(), { committed: false, renamed: 0 });
  recoverInPlace(directory);
  assert.ok(fs.existsSync(path.join(directory, ".crimg-edit")));
  assert.throws(() => replaceInPlace(directory, replacements(), () => true), /another crimg edit/);
  fs.rmSync(path.join(directory, ".crimg-edit"), { recursive: true });
  assert.equal(contents(directory), OLD);
});

test("a commit record that names files elsewhere is refused", () => {
  const directory = interrupted(DEAD, { committed: true, renamed: 0 });
  const outside = path.join(path.dirname(directory), "outside");
  const replace = [{ staged: `${DEAD}-0`, name: "../outside" }];
  fs.writeFileSync(path.join(directory, ".crimg-edit/commit"), JSON.stringify({ replace, remove: [] }));
  assert.throws(() => recoverInPlace(directory), /damaged/);
  assert.not.ok(fs.existsSync(outside));
});

test("a directory that is not there is no business of recovery", () => {
  recoverInPlace("/nonexistent/crimg");
  assert.not.ok(fs.existsSync("/nonexistent"));
});

test.run();
