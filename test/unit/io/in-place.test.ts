import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { sha256 } from "../../../src/io/digest.js";
import { replaceInPlace } from "../../../src/io/in-place.js";
import { assertNotInterrupted } from "../../../src/io/interrupted-edit.js";
import { ownerToken } from "../../../src/io/owner.js";
import { recoverInPlace } from "../../../src/io/recover-in-place.js";
import { type ByteSource, MemorySource } from "../../../src/io/source.js";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/in-place");
test.after(cleanUp);

const OLD = { a: "old a", b: "old b", c: "old c", other: "other" };
const NEW = { a: "new a", b: "new b", other: "other" };
/** The pid of no process: the largest that Linux gives is 2^22. */
const DEAD = ownerToken().replace(/^\d+-\d+/, `${2 ** 22 + 1}-1`);
const place = (directory: string) => ({ directory, lock: ".crimg-edit", members: undefined });
const always = { isUnchanged: () => true };
const digest = (text: string): string => sha256(new MemorySource(Buffer.from(text), ""));

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
  replaceInPlace(place(directory), replacements(), always);
  assert.equal(contents(directory), NEW);
  assert.is(fs.statSync(path.join(directory, "a")).mode & 0o777, 0o640);
});

test("a hard link of a replaced file keeps the old bytes", () => {
  const directory = oldSet();
  const link = path.join(freshDirectory("link"), "a");
  fs.linkSync(path.join(directory, "a"), link);
  replaceInPlace(place(directory), replacements(), always);
  assert.is(fs.readFileSync(link, "utf8"), "old a");
});

test("nothing is done when the files have changed meanwhile", () => {
  const directory = oldSet();
  assert.throws(
    () => replaceInPlace(place(directory), replacements(), { isUnchanged: () => false }),
    /changed by another program/,
  );
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
  assert.throws(() => replaceInPlace(place(directory), files, always));
  assert.equal(contents(directory), OLD);
});

interface Interrupted {
  readonly state: "commit" | "abort" | "commit.new";
  /** Steps that were done. */
  readonly done: number;
}

/** What a writer that was killed leaves: three steps of which each keeps the old file and puts the new one in place. */
function interrupted(owner: string, { state, done }: Interrupted): { directory: string; lock: string } {
  const directory = oldSet();
  const lock = path.join(directory, ".crimg-edit");
  fs.mkdirSync(lock, { mode: 0o700 });
  fs.writeFileSync(path.join(lock, "owner"), owner);
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  const own = { mode: 0o644, uid: process.getuid?.(), gid: process.getgid?.() };
  const files = [
    { name: "a", before: digest("old a"), after: digest("new a"), ...own },
    { name: "b", before: digest("old b"), after: digest("new b"), ...own },
    { name: "c", before: digest("old c"), after: null, ...own },
  ];
  const journal = { directory: { dev: String(dev), ino: String(ino) }, files };
  fs.writeFileSync(path.join(lock, state), JSON.stringify(journal));
  for (const [i, { name, after }] of files.entries()) {
    const [staged, old] = [path.join(lock, `new-${i}`), path.join(lock, `old-${i}`)];
    if (after !== null) fs.writeFileSync(staged, `new ${name}`, { mode: 0o600 });
    if (i >= done) continue;
    fs.renameSync(path.join(directory, name), old);
    if (after !== null) fs.renameSync(staged, path.join(directory, name));
  }
  return { directory, lock };
}

for (const done of [0, 1, 2, 3]) {
  test(`killed after the commit and ${done} of 3 steps: recover makes it the new set`, () => {
    const { directory } = interrupted(DEAD, { state: "commit", done });
    assert.is(recoverInPlace(place(directory)), "finished");
    assert.equal(contents(directory), NEW);
    assert.is(recoverInPlace(place(directory)), "nothing");
  });

  test(`killed while ${done} of 3 steps are still to be taken back: recover makes it the old set`, () => {
    const { directory } = interrupted(DEAD, { state: "abort", done });
    assert.is(recoverInPlace(place(directory)), "taken back");
    assert.equal(contents(directory), OLD);
  });

  test(`a look at a set with ${done} of 3 steps done says so and changes nothing`, () => {
    const { directory } = interrupted(DEAD, { state: "commit", done });
    const before = fs.readdirSync(directory, { recursive: true });
    assert.throws(() => assertNotInterrupted(place(directory)), /crimg recover/);
    assert.equal(fs.readdirSync(directory, { recursive: true }), before);
  });
}

test("killed between the two renames of a step, where no hard link could be made", () => {
  for (const [state, end] of [
    ["commit", NEW],
    ["abort", OLD],
  ] as const) {
    const { directory, lock } = interrupted(DEAD, { state, done: 0 });
    fs.renameSync(path.join(directory, "a"), path.join(lock, "old-0"));
    recoverInPlace(place(directory));
    assert.equal(contents(directory), end);
  }
});

test("killed while cleaning up: the new set stays", () => {
  for (const left of [["owner", "old-1"], ["owner"], []]) {
    const { directory, lock } = interrupted(DEAD, { state: "commit", done: 3 });
    for (const name of fs.readdirSync(lock)) if (!left.includes(name)) fs.unlinkSync(path.join(lock, name));
    assert.is(assertNotInterrupted(place(directory)), undefined);
    assert.is(recoverInPlace(place(directory)), "removed");
    assert.equal(contents(directory), NEW);
  }
});

test("killed before the commit: a look sees the old set, recover takes what is left away", () => {
  const { directory } = interrupted(DEAD, { state: "commit.new", done: 0 });
  assert.is(assertNotInterrupted(place(directory)), undefined);
  assert.is(recoverInPlace(place(directory)), "removed");
  assert.equal(contents(directory), OLD);
});

test("killed while files are staged: the same", () => {
  const directory = oldSet();
  const stage = path.join(directory, `.crimg-stage-${DEAD}-0a`);
  fs.mkdirSync(stage, { mode: 0o700 });
  fs.writeFileSync(path.join(stage, "new-0"), "ne");
  assert.is(recoverInPlace(place(directory)), "removed");
  assert.equal(contents(directory), OLD);
});

test("a writer that is alive is left alone, and a second one is refused", () => {
  for (const state of ["commit.new", "commit"] as const) {
    const { directory, lock } = interrupted(ownerToken(), { state, done: 0 });
    const names = fs.readdirSync(lock);
    assert.throws(() => recoverInPlace(place(directory)), /is editing this image/);
    assert.throws(() => recoverInPlace(place(directory), { force: true }), /is editing this image/);
    assert.throws(() => replaceInPlace(place(directory), replacements(), always), /is editing this image/);
    assert.equal(fs.readdirSync(lock), names);
    fs.rmSync(lock, { recursive: true });
    assert.equal(contents(directory), OLD);
  }
});

test("a writer of another pid namespace is not taken for dead; --force takes the user's word", () => {
  const elsewhere = DEAD.replace(/\d+$/, "1");
  const { directory } = interrupted(elsewhere, { state: "commit", done: 1 });
  assert.throws(() => recoverInPlace(place(directory)), /of another pid namespace .*recover --force/);
  assert.throws(() => assertNotInterrupted(place(directory)), /of another pid namespace/);
  assert.is(recoverInPlace(place(directory), { force: true }), "finished");
  assert.equal(contents(directory), NEW);
});

test("a writer of another pid namespace whose flock the kernel gave back is dead", () => {
  const elsewhere = `${DEAD.replace(/\d+$/, "1")}-locked`;
  const { directory } = interrupted(elsewhere, { state: "commit", done: 1 });
  assert.is(recoverInPlace(place(directory)), "finished");
  assert.equal(contents(directory), NEW);
});

/** Changes of the record or of what lies about it, and what is said of them. */
const FORGED: readonly [string, RegExp, (at: { directory: string; lock: string }) => void][] = [
  ["names a file elsewhere", /names "\.\.\/outside"/, named("../outside")],
  ["names a path", /names "\/etc\/passwd"/, named("/etc/passwd")],
  ["names a dot file", /names "\.profile"/, named(".profile")],
  ["names the directory", /names "\."/, named(".")],
  ["is about another directory", /another directory/, edited('"ino":"', '"ino":"9')],
  ["is no JSON", /damaged/, edited("{", "")],
  ["has digests of another kind", /damaged/, edited('"before":"', '"before":"zz')],
  ["has a file that is another", /a is neither the old nor the new file/, wrote("a", "else")],
  ["has staged bytes that are others", /new b does not match/, wrote(".crimg-edit/new-1", "else")],
  ["is readable by others", /accessible by other users/, ({ lock }) => fs.chmodSync(lock, 0o755)],
  [
    "stands in a directory for all",
    /writable by other users/,
    ({ directory }) => fs.chmodSync(directory, 0o777),
  ],
  [
    "has a staged file for all",
    /not the private file/,
    ({ lock }) => fs.chmodSync(path.join(lock, "new-1"), 0o666),
  ],
  [
    "has a staged file that is a link",
    /not the private file/,
    ({ directory, lock }) => {
      fs.rmSync(path.join(lock, "new-1"));
      fs.symlinkSync(path.join(directory, "other"), path.join(lock, "new-1"));
    },
  ],
  [
    "has a staged file with a second name",
    /not the private file/,
    ({ directory, lock }) => fs.linkSync(path.join(lock, "new-1"), path.join(directory, "second")),
  ],
  [
    "is a symbolic link",
    /is a symbolic link/,
    ({ directory, lock }) => {
      fs.renameSync(lock, path.join(directory, "elsewhere"));
      fs.symlinkSync("elsewhere", lock);
    },
  ],
  ["has no owner", /its owner is missing/, ({ lock }) => fs.rmSync(path.join(lock, "owner"))],
];

function edited(from: string, to: string) {
  return ({ lock }: { lock: string }): void => {
    const file = path.join(lock, "commit");
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(from, to));
  };
}

function named(name: string) {
  return edited('"name":"a"', `"name":"${name}"`);
}

function wrote(name: string, text: string) {
  return ({ directory }: { directory: string }): void => {
    const file = path.join(directory, name);
    fs.rmSync(file);
    fs.writeFileSync(file, text, { mode: 0o600 });
  };
}

function everything(directory: string): string[] {
  return (fs.readdirSync(directory, { recursive: true }) as string[]).sort().map((name) => {
    const stat = fs.lstatSync(path.join(directory, name), { bigint: true });
    return [name, stat.ino, stat.mode, stat.size, stat.mtimeNs, stat.nlink].join(" ");
  });
}

for (const [what, said, forge] of FORGED) {
  test(`a record that ${what} is told and left alone`, () => {
    const at = interrupted(DEAD, { state: "commit", done: 1 });
    forge(at);
    const before = everything(at.directory);
    assert.throws(() => recoverInPlace(place(at.directory)), said);
    assert.equal(everything(at.directory), before);
  });
}

test("a file that cannot be replaced: all are put back, and the set can be edited again", () => {
  const directory = oldSet();
  const removed = path.join(directory, "c");
  fs.rmSync(removed);
  fs.mkdirSync(removed);
  fs.writeFileSync(path.join(removed, "inside"), "x");
  // A name that is a directory by the time the new file comes: the rename fails after two that went well.
  const files = new Map<string, ByteSource>(
    ["a", "b", "late"].map((name) => [name, new MemorySource(Buffer.from(`new ${name}`), name)]),
  );
  const late = path.join(directory, "late");
  const isUnchanged = (): boolean => {
    fs.mkdirSync(late);
    fs.writeFileSync(path.join(late, "inside"), "x");
    return true;
  };
  assert.throws(() => replaceInPlace(place(directory), files, { isUnchanged }), /no file was changed/);
  fs.rmSync(late, { recursive: true });
  fs.rmSync(removed, { recursive: true });
  const { c: _, ...rest } = OLD;
  assert.equal(contents(directory), rest);
});

test("a name that is a link is not changed through it", () => {
  const directory = oldSet();
  fs.rmSync(path.join(directory, "a"));
  fs.symlinkSync("other", path.join(directory, "a"));
  assert.throws(() => replaceInPlace(place(directory), replacements(), always), /not a regular file/);
  assert.is(fs.readFileSync(path.join(directory, "other"), "utf8"), "other");
  assert.equal(
    fs.readdirSync(directory).filter((name) => name.startsWith(".crimg")),
    [],
  );
});

test.run();
