/** Others rename what is root's, or directories around an image, in between: none of it is taken for crimg's own. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { isCrimgError } from "../../src/io/errors.js";
import { replaceInPlace } from "../../src/io/in-place.js";
import { createDirectory } from "../../src/io/new-directory.js";
import { createFile } from "../../src/io/new-file.js";
import type { PinnedDirectory } from "../../src/io/pinned-directory.js";
import { recoverInPlace } from "../../src/io/recover-in-place.js";
import { type ByteSource, FileSource, MemorySource } from "../../src/io/source.js";
import { SplicedSource } from "../../src/io/splice.js";
import { writeSource } from "../../src/io/write-file.js";
import { openDocument } from "../../src/open.js";
import { filesOf } from "../../src/ops/edit/apply.js";
import { DEAD } from "../helpers/leftovers.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { needsRoot } from "../helpers/needs.js";
import { tickerTar } from "../helpers/packages.js";
import { imageDigest, snapshot } from "../helpers/snapshot.js";
import { FAMILIES, give } from "../helpers/strangers-image.js";
import { skip, suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("what others rename");
test.after(cleanUp);

const place = (directory: string) => ({ directory, lock: ".crimg-edit", members: undefined });
const some = (text: string): MemorySource => new MemorySource(Buffer.from(text), "some");
const anyway = { isUnchanged: () => true };

/** Everything that removes leftovers in a directory, of an image or output named `out`. */
const CLEANERS: Record<string, (directory: string) => unknown> = {
  recover: (directory) => recoverInPlace(place(directory)),
  "recover --force": (directory) => recoverInPlace(place(directory), { force: true }),
  "an edit in place": (directory) => replaceInPlace(place(directory), new Map([["a", some("a")]]), anyway),
  "a new file": (directory) =>
    createFile(path.join(directory, "out"), (to) => writeSource(to, some("a"), { sync: false })),
  "a new directory": (directory) => createDirectory(path.join(directory, "out"), undefined, () => {}),
};

const NAMES = [".crimg-edit", `.crimg-stage-${DEAD}-0a`, `.out.crimg-${DEAD}-0a`];

test("a private directory of root's that the owner of the directory renamed stays whole", () => {
  needsRoot("working in a directory of another user");
  for (const [what, clean] of Object.entries(CLEANERS))
    for (const name of NAMES) {
      const directory = freshDirectory("renamed");
      fs.chownSync(directory, 65534, 65534);
      const own = path.join(directory, "own");
      fs.mkdirSync(path.join(own, "inner"), { recursive: true, mode: 0o700 });
      for (const file of ["diary", "inner/letter"]) fs.writeFileSync(path.join(own, file), "root's");
      const planted = path.join(directory, name);
      fs.renameSync(own, planted);
      const before = snapshot(planted);
      try {
        clean(directory);
      } catch (error) {
        assert.ok(isCrimgError(error), `${what}: ${error}`);
        assert.match(error.message, /it has "(diary|inner)"; left alone/, what);
      }
      assert.equal(snapshot(planted), before, `${what}, ${name}`);
    }
});

test("what a failed run made is removed, not what took its name", () => {
  const directory = freshDirectory("renamed");
  const own = path.join(directory, "own");
  fs.mkdirSync(own);
  fs.writeFileSync(path.join(own, "diary"), "root's");
  let name = "";
  assert.throws(() =>
    createDirectory(path.join(directory, "out"), undefined, (made) => {
      fs.writeFileSync(path.join(made, "memory"), "x");
      name = fs.readdirSync(directory).find((each) => each.startsWith(".out")) ?? "";
      fs.renameSync(path.join(directory, name), path.join(directory, "aside"));
      fs.renameSync(own, path.join(directory, name));
      throw new Error("full disk");
    }),
  );
  assert.equal(fs.readdirSync(path.join(directory, name)), ["diary"]);
  assert.equal(fs.readdirSync(path.join(directory, "aside")), []);
});

test("a run that was killed while it copied a large file leaves nothing in the way", () => {
  const directory = freshDirectory("renamed");
  for (const name of [".crimg-edit", `.crimg-stage-${DEAD}-0a`]) {
    const lock = path.join(directory, name);
    fs.mkdirSync(path.join(lock, "new-0-Ab12Cd"), { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(lock, "new-0-Ab12Cd/copy"), "half");
    fs.writeFileSync(path.join(lock, "owner"), DEAD);
  }
  assert.is(recoverInPlace(place(directory)), "removed");
  assert.equal(fs.readdirSync(directory), []);
});

test("a large file is copied into a directory of its own, which goes with it", () => {
  const directory = freshDirectory("renamed");
  const from = path.join(directory, "from");
  fs.writeFileSync(from, Buffer.alloc(2 << 20), { mode: 0o644 });
  const content = new SplicedSource(new FileSource(from), [{ offset: 9, size: 1, bytes: Buffer.from("x") }]);
  writeSource(path.join(directory, "to"), content, { sync: false });
  assert.equal(fs.readdirSync(directory), ["from", "to"]);
  assert.is(fs.statSync(path.join(directory, "to")).mode & 0o777, 0o600);
});

test("in a directory where nothing is renamed or removed, one sentence tells what was to be written", () => {
  needsRoot("making a directory append-only");
  const directory = freshDirectory("append-only");
  if (spawnSync("chattr", ["+a", directory]).status !== 0) skip("this file system has no append-only files");
  const file = path.join(directory, "out");
  try {
    const make = (_: string, beside: PinnedDirectory): void =>
      createFile(beside.at("log"), (to) => writeSource(to, some("a"), { sync: false }));
    for (const write of [() => createFile(file, make), () => createDirectory(file, undefined, () => {})])
      try {
        write();
        assert.unreachable();
      } catch (error) {
        assert.ok(isCrimgError(error), String(error));
        assert.ok(error.file?.startsWith(directory), error.message);
        assert.match(error.message, /operation not permitted/, error.message);
      }
  } finally {
    spawnSync("chattr", ["-a", directory]);
  }
});

test("what takes the place of a file between listing and reading is neither followed nor waited for", () => {
  const plants: Record<string, (at: string) => void> = {
    "a FIFO": (at) => void spawnSync("mkfifo", [at]),
    "a link": (at) => fs.symlinkSync("/etc/passwd", at),
    "another file": (at) => fs.writeFileSync(at, "others"),
    "a directory": (at) => fs.mkdirSync(at),
  };
  for (const [what, plant] of Object.entries(plants))
    for (const follow of [false, true]) {
      const file = path.join(freshDirectory("taken"), "a");
      fs.writeFileSync(file, "own");
      const source = new FileSource(file, file, { follow });
      fs.renameSync(file, `${file}.aside`);
      plant(file);
      try {
        source.read(0, 3);
        assert.unreachable(what);
      } catch (error) {
        assert.ok(isCrimgError(error), `${what}: ${error}`);
      }
    }
});

test("a new file replaces none that came meanwhile", () => {
  const directory = freshDirectory("renamed");
  const file = path.join(directory, "out");
  const fill = (to: string): void => {
    fs.writeFileSync(file, "root's");
    writeSource(to, some("a"), { sync: false });
  };
  assert.throws(() => createFile(file, fill, { isNew: true }), /the file exists now; name a new one/);
  assert.equal(fs.readdirSync(directory), ["out"]);
  assert.is(fs.readFileSync(file, "utf8"), "root's");
});

/** Bytes that do something when they are read first. */
class ActingSource implements ByteSource {
  readonly name = "acting";
  readonly size = 4;

  constructor(private act: () => void) {}

  read(offset: number, size: number): Buffer {
    this.act();
    this.act = () => {};
    return Buffer.from("acts").subarray(offset, offset + size);
  }

  close(): void {}
}

/** A directory, another one of root's that has the same in it, and how the one becomes a link to the other and back. */
function twins(fill: (directory: string) => void) {
  const top = freshDirectory("twins");
  const [theirs, roots] = [path.join(top, "theirs"), path.join(top, "roots")];
  fs.mkdirSync(theirs);
  fill(theirs);
  fs.cpSync(theirs, roots, { recursive: true, preserveTimestamps: true });
  give(theirs);
  const aside = `${theirs}.aside`;
  return {
    ...{ theirs, roots },
    swap() {
      fs.renameSync(theirs, aside);
      fs.symlinkSync(roots, theirs);
    },
    swapBack() {
      fs.unlinkSync(theirs);
      fs.renameSync(aside, theirs);
    },
  };
}

test("an archive whose directory is swapped for one of root's, and back, is not written there", () => {
  needsRoot("giving files to users");
  const { theirs, roots, swap, swapBack } = twins((at) =>
    fs.writeFileSync(path.join(at, "a.tar"), tickerTar()),
  );
  const before = imageDigest(roots);
  const document = openDocument(path.join(theirs, "a.tar"));
  const changed = new Map([["core-1.img", new ActingSource(swapBack)]]);
  swap();
  assert.throws(
    () => filesOf(document).write(changed, { to: "in place" }, new Map()),
    /changed by another program meanwhile/,
  );
  document.close();
  assert.is(imageDigest(roots), before);
});

test("a set whose directory is swapped for a copy of root's is not edited there", () => {
  needsRoot("giving files to users");
  const { theirs, roots, swap } = twins((at) =>
    fs.cpSync(fixture("logger"), path.join(at, "set"), { recursive: true }),
  );
  const before = imageDigest(path.join(roots, "set"));
  const document = openDocument(path.join(theirs, "set"));
  const changed = new Map([["core-1000.img", some("new")]]);
  swap();
  assert.throws(
    () => filesOf(document).write(changed, { to: "in place" }, new Map()),
    /changed by another program/,
  );
  document.close();
  assert.is(imageDigest(path.join(roots, "set")), before);
});

test("a stream whose directory is swapped for another one of root's is not written there", () => {
  needsRoot("giving files to users");
  const { theirs, roots, swap } = twins((at) =>
    fs.copyFileSync(FAMILIES.stream.original, path.join(at, "app.ckpt")),
  );
  const before = imageDigest(roots);
  const document = openDocument(path.join(theirs, "app.ckpt"));
  const changed = new Map([["app.ckpt", some("new")]]);
  swap();
  assert.throws(
    () => filesOf(document).write(changed, { to: "in place" }, new Map()),
    /changed by another program/,
  );
  document.close();
  assert.is(imageDigest(roots), before);
});

test.run();
