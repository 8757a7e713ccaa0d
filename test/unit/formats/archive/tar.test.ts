/** tar archives as GNU tar writes them in each of its formats, and headers that it does not write. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { readTar } from "../../../../src/formats/archive/tar/read.js";
import { TarTree } from "../../../../src/formats/archive/tar/tree.js";
import { FileSource, MemorySource } from "../../../../src/io/source.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { suite } from "../../../helpers/suite.js";
import { base256, longName, member, pax, tar } from "../../../helpers/tar.js";

const test = suite("src/formats/archive/tar");
test.after(cleanUp);

const LONG = `${"directory/".repeat(20)}${"n".repeat(120)}`;

function tree(bytes: Buffer): TarTree {
  return new TarTree(new MemorySource(bytes, "a.tar"), "a.tar");
}

function gnuTar(directory: string, ...args: string[]): string {
  const archive = path.join(freshDirectory("tar"), "a.tar");
  const { status, stderr } = spawnSync("tar", ["-C", directory, "-cf", archive, ...args], {
    encoding: "utf8",
  });
  assert.is(status, 0, stderr);
  return archive;
}

/** Contents by path of an archive on disk. */
function contents(archive: string): Record<string, string> {
  const found = new TarTree(new FileSource(archive), "a.tar");
  const files: Record<string, string> = {};
  for (const directory of found.directories())
    for (const [name, { type }] of found.list(directory) ?? []) {
      if (type !== "a regular file" && type !== "a hard link") continue;
      const file = directory === "" ? name : `${directory}/${name}`;
      const source = found.open(file);
      files[file] = source?.read(0, source.size).toString("latin1") ?? "";
    }
  return files;
}

test("the formats of GNU tar, with names as long as each can have", () => {
  const home = freshDirectory("files");
  const short = `${"d".repeat(60)}/${"n".repeat(90)}`;
  for (const name of ["plain", short, LONG]) {
    fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
    fs.writeFileSync(path.join(home, name), `contents of ${name}`);
  }
  fs.linkSync(path.join(home, "plain"), path.join(home, "second"));
  const expected = { plain: "contents of plain", second: "contents of plain" };
  const files = ["plain", "second"];
  assert.equal(contents(gnuTar(home, "--format=v7", ...files)), expected);
  assert.equal(contents(gnuTar(home, "--format=ustar", ...files, short)), {
    ...expected,
    [short]: `contents of ${short}`,
  });
  for (const format of ["gnu", "pax"])
    assert.equal(contents(gnuTar(home, `--format=${format}`, ...files, `./${LONG}`)), {
      ...expected,
      [LONG]: `contents of ${LONG}`,
    });
});

test("sparse files of GNU tar, in its four formats", () => {
  const home = freshDirectory("sparse");
  const file = path.join(home, "sparse");
  const fd = fs.openSync(file, "w");
  for (let i = 0; i < 60; i++) fs.writeSync(fd, `part ${i}`, i * 64 * 1024);
  fs.ftruncateSync(fd, 8 << 20);
  fs.closeSync(fd);
  const expected = fs.readFileSync(file);
  for (const options of [
    ["--format=gnu"],
    ...["0.0", "0.1", "1.0"].map((version) => ["--format=pax", `--sparse-version=${version}`]),
  ]) {
    const archive = gnuTar(home, "-S", ...options, "sparse");
    assert.ok(fs.statSync(archive).size < 1 << 20);
    const source = new TarTree(new FileSource(archive), "a.tar").open("sparse");
    assert.is(source?.size, expected.length);
    assert.ok(source?.read(0, expected.length).equals(expected), options.join(" "));
    assert.is(source?.read(64 * 1024 * 59, 7).toString(), "part 59");
  }
});

test("sizes in base-256 and in PAX records", () => {
  const size = base256(5n, 12);
  const [first] = [
    ...readTar(new MemorySource(tar([{ name: "a", content: "12345", raw: new Map([[124, size]]) }]), "a")),
  ];
  assert.is(first?.size, 5);
  const [second] = [
    ...readTar(
      new MemorySource(
        tar([pax({ size: "5", mtime: "1.5" }), { name: "a", content: "12345", size: 0 }]),
        "a",
      ),
    ),
  ];
  assert.equal([second?.size, second?.mtime], [5, 1]);
});

test("the name of GNU and PAX headers is that of the next member only", () => {
  const found = tree(
    tar([longName(LONG), { name: "cut", content: "1" }, { name: "b" }, pax({ path: "./p" }), { name: "q" }]),
  );
  assert.is(found.open(LONG)?.read(0, 1).toString(), "1");
  assert.equal([...(found.list("")?.keys() ?? [])], ["directory", "b", "p"]);
});

test("names that are not UTF-8 keep their bytes", () => {
  const found = tree(tar([{ name: "\xff\x1b[31m" }]));
  assert.equal([...(found.list("")?.keys() ?? [])], ["\udcff\x1b[31m"]);
});

const INVALID: readonly (readonly [what: string, bytes: Buffer, text: RegExp])[] = [
  [
    "an absolute name",
    tar([{ name: "/etc/passwd" }]),
    /the member "\/etc\/passwd" leads out of the archive \(at offset 0x0\)/,
  ],
  [
    "a name with ..",
    tar([{ name: "a" }, { name: "checkpoint/../../x" }]),
    /"checkpoint\/\.\.\/\.\.\/x" leads out of the archive \(at offset 0x200\)/,
  ],
  ["a PAX name with ..", tar([pax({ path: "../x" }), { name: "a" }]), /"\.\.\/x" leads out/],
  [
    "a file below a link",
    tar([{ name: "checkpoint", type: "2", link: "/etc" }, { name: "checkpoint/passwd" }]),
    /lies in "checkpoint", which is a symbolic link/,
  ],
  [
    "a file in place of a directory",
    tar([{ name: "a/b" }, { name: "a" }]),
    /"a" is a regular file, and before it a directory/,
  ],
  [
    "a directory in place of a file",
    tar([{ name: "a" }, { name: "a", type: "5" }]),
    /"a" is a directory, and before it a regular file/,
  ],
  [
    "a wrong checksum",
    Buffer.concat([member({ name: "a" }), Buffer.alloc(512, 1)]),
    /the header of a member has a wrong checksum \(at offset 0x200\)/,
  ],
  [
    "a size that is no number",
    tar([{ name: "a", raw: new Map([[124, Buffer.from("zz")]]) }]),
    /invalid size "zz.*expected an octal number/,
  ],
  ["a negative size", tar([{ name: "a", raw: new Map([[124, Buffer.alloc(12, 0xff)]]) }]), /invalid size/],
  ["a size beyond 2^53", tar([{ name: "a", raw: new Map([[124, base256(1n << 60n, 12)]]) }]), /invalid size/],
  [
    "a size beyond the file",
    tar([{ name: "a", size: 8 ** 10 }]),
    /truncated: the tar member "a" has 1073741824 bytes/,
  ],
  ["no end", member({ name: "a", content: "1" }), /truncated tar archive/],
  ["a PAX header alone", tar([pax({ path: "x" })]), /no member follows the header that extends it/],
  [
    "a PAX record without length",
    tar([{ name: "x", type: "x", content: "path=x\n" }, { name: "a" }]),
    /invalid PAX record/,
  ],
  [
    "a PAX record that is too long",
    tar([{ name: "x", type: "x", content: "99 path=x\n" }, { name: "a" }]),
    /invalid PAX record/,
  ],
  [
    "a large PAX header",
    tar([{ name: "x", type: "x", size: 2 << 20, content: Buffer.alloc(2 << 20) }, { name: "a" }]),
    /header of 2097152 bytes that extends/,
  ],
  ["another volume", tar([{ name: "a", type: "M" }]), /multi-volume/],
  [
    "a sparse map that goes back",
    tar([
      pax({ "GNU.sparse.size": "20", "GNU.sparse.map": "10,5,0,5" }),
      { name: "a", content: "1234567890" },
    ]),
    /a part at 0 begins before the end of the one before, 15/,
  ],
  [
    "a sparse map beyond the file",
    tar([pax({ "GNU.sparse.size": "5", "GNU.sparse.map": "0,10" }), { name: "a", content: "1234567890" }]),
    /its parts end at 10, the file at 5/,
  ],
  [
    "a sparse map of more than there is",
    tar([pax({ "GNU.sparse.size": "99", "GNU.sparse.map": "0,50" }), { name: "a", content: "1" }]),
    /the parts of a sparse member have 50 bytes, its data 1/,
  ],
  [
    "a sparse map of a million parts",
    tar([pax({ "GNU.sparse.major": "1", "GNU.sparse.realsize": "9" }), { name: "a", content: "1000000\n" }]),
    /sparse tar member of more than/,
  ],
  ["a name of 1 MiB", tar([longName("n".repeat(1 << 19)), { name: "a" }]), /too long names/],
  ["a NUL in a name", tar([pax({ path: "a\0b" }), { name: "a" }]), /has a NUL in its name/],
];

for (const [what, bytes, text] of INVALID)
  test(`${what} ends in one sentence`, () => {
    assert.throws(() => tree(bytes), text);
  });

test("two members of one path: the last counts, and both are known", () => {
  const found = tree(
    tar([
      { name: "a", content: "1" },
      { name: "./a", content: "22" },
    ]),
  );
  assert.is(found.open("a")?.size, 2);
  assert.equal(
    found.duplicates.map(({ path, first, last }) => [path, first.start, last.start]),
    [["a", 0, 1024]],
  );
});

test("links are not followed, hard links only to an earlier member", () => {
  const found = tree(
    tar([
      { name: "file", content: "1" },
      { name: "soft", type: "2", link: "file" },
      { name: "hard", type: "1", link: "./file" },
      { name: "out", type: "1", link: "/etc/passwd" },
      { name: "self", type: "1", link: "self" },
      { name: "node", type: "3" },
    ]),
  );
  assert.is(found.open("hard")?.read(0, 1).toString(), "1");
  for (const name of ["soft", "out", "self", "node"])
    assert.throws(() => found.open(name), /expected a regular file/);
});

test.run();
