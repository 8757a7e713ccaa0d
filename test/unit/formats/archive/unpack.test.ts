/** What archives of changed files may do to the directory that they are unpacked into. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { makeInside, removeInside, unpackTar } from "../../../../src/formats/archive/tar/unpack.js";
import { PinnedDirectory } from "../../../../src/io/pinned-directory.js";
import { MemorySource } from "../../../../src/io/source.js";
import { freshDirectory } from "../../../helpers/live.js";
import { needsRoot } from "../../../helpers/needs.js";
import { refusal } from "../../../helpers/refusal.js";
import { suite } from "../../../helpers/suite.js";
import { type Entry, tar } from "../../../helpers/tar.js";

const test = suite("unpacking");
const MODE = 100;
const UID = 108;

/** A root with some files, a link that leads out of it, and a file beside it. */
function rootDirectory(): { readonly root: string; readonly outside: string } {
  const home = freshDirectory("unpack");
  const [root, outside] = [join(home, "root"), join(home, "outside")];
  for (const directory of [root, outside, join(root, "etc"), join(root, "srv"), join(root, "srv/old")])
    mkdirSync(directory);
  writeFileSync(join(outside, "file"), "outside");
  writeFileSync(join(root, "etc/motd"), "welcome");
  writeFileSync(join(root, "srv/a"), "a");
  writeFileSync(join(root, "srv/old/b"), "b");
  symlinkSync(outside, join(root, "out"));
  symlinkSync(join(outside, "file"), join(root, "etc/link"));
  return { root, outside };
}

function within<T>(directory: string, work: (root: PinnedDirectory) => T): T {
  const root = PinnedDirectory.open(directory);
  try {
    return work(root);
  } finally {
    root.close();
  }
}

function unpack(root: string, entries: readonly Entry[], setIds = false): void {
  within(root, (pinned) => unpackTar(new MemorySource(tar(entries), "diff.tar"), pinned, { setIds }));
}

test.before(() => needsRoot("giving files to other users"));

test("files, directories and links, with owner, mode and time", () => {
  const { root } = rootDirectory();
  unpack(root, [
    { name: "new/", type: "5", raw: new Map([[MODE, Buffer.from("0001777\0")]]) },
    {
      name: "new/file",
      content: "text",
      raw: new Map([
        [MODE, Buffer.from("0000640\0")],
        [UID, Buffer.from("0000017\0")],
      ]),
    },
    { name: "new/again", type: "1", link: "new/file" },
    { name: "new/link", type: "2", link: "../../../etc/passwd" },
    { name: "new/fifo", type: "6" },
    { name: "deep/er/file", content: "x" },
    { name: "etc/motd", content: "other" },
    { name: "etc/link", content: "a file now" },
  ]);
  assert.is(lstatSync(join(root, "new")).mode & 0o7777, 0o1777);
  const { mode, uid, mtimeMs, nlink } = lstatSync(join(root, "new/file"));
  assert.equal([mode & 0o7777, uid, mtimeMs, nlink], [0o640, 0o17, 0o14000000000 * 1000, 2]);
  assert.is(readlinkSync(join(root, "new/link")), "../../../etc/passwd");
  assert.ok(lstatSync(join(root, "new/fifo")).isFIFO());
  assert.is(readFileSync(join(root, "deep/er/file"), "utf8"), "x");
  assert.is(readFileSync(join(root, "etc/motd"), "utf8"), "other");
  assert.ok(lstatSync(join(root, "etc/link")).isFile());
});

test("whiteouts of a layer take away what was there, and nothing that comes with them", () => {
  const { root } = rootDirectory();
  unpack(root, [
    { name: "etc/.wh.motd" },
    { name: "etc/.wh.never" },
    { name: "srv/new", content: "new" },
    { name: "srv/.wh..wh..opq" },
  ]);
  assert.equal(readdirSync(join(root, "etc")), ["link"]);
  assert.equal(readdirSync(join(root, "srv")), ["new"]);
});

const HOSTILE: readonly (readonly [what: string, entries: readonly Entry[], message: RegExp])[] = [
  ["..", [{ name: "../outside/file", content: "x" }], /leads out of the archive/],
  [".. in the middle", [{ name: "etc/../../outside/file", content: "x" }], /leads out of the archive/],
  ["an absolute name", [{ name: "/etc/motd", content: "x" }], /leads out of the archive/],
  ["a link of the root", [{ name: "out/file", content: "x" }], /leads through "out", which is no directory/],
  [
    "a link of the archive",
    [
      { name: "etc/deeper", type: "2", link: "/" },
      { name: "etc/deeper/file", content: "x" },
    ],
    /lies in "etc\/deeper", which is a symbolic link/,
  ],
  ["a hard link out", [{ name: "etc/x", type: "1", link: "../outside/file" }], /leads out of the root/],
  ["a hard link through a link", [{ name: "etc/x", type: "1", link: "out/file" }], /leads through "out"/],
  ["a device", [{ name: "etc/mem", type: "3" }], /is a character device, which is not unpacked/],
  ["a block device", [{ name: "etc/disk", type: "4" }], /is a block device, which is not unpacked/],
  [
    "a program that sets ids",
    [{ name: "etc/su", content: "x", raw: new Map([[MODE, Buffer.from("0004755\0")]]) }],
    /sets the user or group id of who runs it; to allow that: --allow-rights setuid/,
  ],
  ["a whiteout out", [{ name: "etc/.wh..." }], /leads out of the root/],
  ["a whiteout through a link", [{ name: "out/.wh.file" }], /leads through "out"/],
  ["an opaque directory through a link", [{ name: "out/.wh..wh..opq" }], /leads through "out"/],
  [
    "a file for a directory above",
    [
      { name: "etc", content: "" },
      { name: "etc/x", content: "" },
    ],
    /lies in "etc"/,
  ],
];

for (const [what, entries, message] of HOSTILE)
  test(`${what} is refused, and nothing outside is touched`, () => {
    const { root, outside } = rootDirectory();
    assert.match(
      refusal(() => unpack(root, entries)),
      message,
    );
    assert.equal(readdirSync(outside), ["file"]);
    assert.is(readFileSync(join(outside, "file"), "utf8"), "outside");
    assert.is(statSync(join(outside, "file")).nlink, 1);
    assert.not(existsSync(join(root, "etc/mem")));
  });

test("ids are set where that is allowed", () => {
  const { root } = rootDirectory();
  const raw = new Map([[MODE, Buffer.from("0004755\0")]]);
  unpack(root, [{ name: "etc/su", content: "x", raw }], true);
  assert.is(lstatSync(join(root, "etc/su")).mode & 0o7777, 0o4755);
});

test("deleted files and mount points stay inside as well", () => {
  const { root, outside } = rootDirectory();
  within(root, (pinned) => {
    removeInside(pinned, "/etc/motd");
    removeInside(pinned, "/never/there");
    removeInside(pinned, "out");
    makeInside(pinned, "/run/secrets", "directory");
    makeInside(pinned, "/etc/hosts", "file");
    makeInside(pinned, "/etc/link", "file");
    for (const path of ["/../outside/file", "etc/link/x"])
      for (const change of [() => removeInside(pinned, path), () => makeInside(pinned, path, "file")])
        assert.match(refusal(change), /leads (out of|through)/);
  });
  assert.equal(readdirSync(root).sort(), ["etc", "run", "srv"]);
  assert.equal(readdirSync(join(root, "etc")).sort(), ["hosts", "link"]);
  assert.ok(lstatSync(join(root, "run/secrets")).isDirectory());
  assert.equal(readdirSync(outside), ["file"]);
});

test.run();
