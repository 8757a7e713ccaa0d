/** Edits of sets in archives: what the edit does not touch stays byte by byte, in every compression and form. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { storedLz4Frame } from "../../src/formats/archive/lz4-frame.js";
import { decompressedFile } from "../../src/formats/archive/open.js";
import { readTar } from "../../src/formats/archive/tar/read.js";
import { chunksOf } from "../../src/io/digest.js";
import { FileSource } from "../../src/io/source.js";
import { crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { needsRoot, needsZstd } from "../helpers/needs.js";
import { containerTar, setEntries, shards, TICKER, tickerTar, write } from "../helpers/packages.js";
import { suite } from "../helpers/suite.js";
import { tar } from "../helpers/tar.js";

const test = suite("edits of archives");
test.after(cleanUp);

const EDITS = ["--comm", "1=renamed-task", "--tcp-listen-remap", "8080:9090"];
const LOG = "checkpoint/crimg-edits.jsonl";

/** The archive that Podman made, in each compression that is written. */
function archives(): Record<string, string> {
  const home = freshDirectory("archives");
  const plain = tickerTar();
  const files = write(home, {
    "plain.tar": plain,
    "gzip.tar": gzipSync(plain),
    "lz4.tar": Buffer.concat([...storedLz4Frame([plain])].map((chunk) => Buffer.from(chunk))),
    "zstd.tar": fs.readFileSync(TICKER),
  });
  return Object.fromEntries(fs.readdirSync(files).map((name) => [name, path.join(files, name)]));
}

/** The decompressed bytes of an archive. */
function bytesOf(file: string): Buffer {
  const source = decompressedFile(new FileSource(file));
  if ("fillAll" in source) (source as unknown as { fillAll(): void }).fillAll();
  return Buffer.concat([...chunksOf(source)].map((chunk) => Buffer.from(chunk)));
}

/** Header and data of each member by path. */
function membersOf(file: string): Map<string, Buffer> {
  const source = decompressedFile(new FileSource(file));
  return new Map(
    [...readTar(source)].map(({ path: name, start, data, stored }) => [
      name,
      source.read(start, data + stored - start),
    ]),
  );
}

test("-o: changed members alone differ, in order, in the same compression, and private", async () => {
  needsZstd();
  for (const [name, archive] of Object.entries(archives())) {
    const edited = `${archive}.new`;
    const { code, stderr } = await crimg(["edit", archive, ...EDITS, "-o", edited]);
    assert.is(code, 0, `${name}: ${stderr}`);
    const [before, after] = [membersOf(archive), membersOf(edited)];
    assert.equal([...after.keys()], [...before.keys(), LOG], name);
    const changed = [...before].flatMap(([member, bytes]) =>
      after.get(member)?.equals(bytes) ? [] : member,
    );
    assert.equal(changed, ["checkpoint/core-1.img", "checkpoint/files.img"], name);
    assert.ok(fs.readFileSync(edited).subarray(0, 4).equals(fs.readFileSync(archive).subarray(0, 4)), name);
    assert.is(fs.statSync(edited).mode & 0o777, 0o600);
    const fds = await crimg(["show", edited, "fds"]);
    assert.match(fds.stdout, /TCP 0\.0\.0\.0:9090/, name);
    const log = await crimg(["log", edited], { env: { COLUMNS: "200" } });
    assert.is(log.code, 0, log.stderr);
    assert.match(log.stdout, /--comm 1=renamed-task --tcp-listen-remap 8080:9090/);
  }
});

test("in place, and back by undo to the very bytes", async () => {
  needsZstd();
  for (const [name, archive] of Object.entries(archives())) {
    fs.chmodSync(archive, 0o640);
    const original = bytesOf(archive);
    const edited = await crimg(["edit", archive, ...EDITS, "--in-place"]);
    assert.is(edited.code, 0, `${name}: ${edited.stderr}`);
    const again = await crimg(["edit", `${archive}//checkpoint`, "--comm", "1=twice", "--in-place"]);
    assert.is(again.code, 0, `${name}: ${again.stderr}`);
    assert.is(fs.statSync(archive).mode & 0o777, 0o640);
    assert.match((await crimg(["show", archive, "tree"])).stdout, /twice/);
    const undone = await crimg(["undo", archive]);
    assert.is(undone.code, 0, undone.stderr);
    assert.match((await crimg(["show", archive, "tree"])).stdout, /renamed-task/);
    assert.is((await crimg(["undo", archive])).code, 0);
    assert.ok(bytesOf(archive).equals(original), name);
    assert.equal(
      fs.readdirSync(path.dirname(archive)).filter((each) => each.startsWith(".")),
      [],
    );
  }
});

test("to stdout, and from stdin", async () => {
  needsZstd();
  const input = fs.readFileSync(TICKER);
  const { code, bytes, stderr } = await crimg(["edit", "-", ...EDITS, "-o", "-"], { input });
  assert.is(code, 0, stderr);
  const shown = await crimg(["show", "-", "fds"], { input: bytes });
  assert.match(shown.stdout, /TCP 0\.0\.0\.0:9090/);
  const inPlace = await crimg(["edit", "-", ...EDITS, "--in-place"], { input });
  assert.is(inPlace.code, 2);
  assert.match(inPlace.stderr, /comes through a pipe, so there is no file to change; use -o FILE/);
});

test("one of several sets, and the others stay", async () => {
  const file = path.join(freshDirectory("several"), "sets.tar");
  fs.writeFileSync(
    file,
    tar([
      ...setEntries("logger", "a/checkpoint/"),
      ...setEntries("logger", "b/checkpoint/"),
      { name: "note", content: "stays" },
    ]),
  );
  const before = membersOf(file);
  const { code, json } = (await crimgJson([
    "edit",
    `${file}//b`,
    "--remap-path",
    "/var/lib/crimg-demo=/srv/demo",
    "--in-place",
  ])) as { code: number; json: { applied: { file: string; files: { name: string }[] } } };
  assert.is(code, 0);
  const names = json.applied.files.map(({ name }) => `b/checkpoint/${name}`);
  const after = membersOf(file);
  const changed = [...before].flatMap(([name, bytes]) => (after.get(name)?.equals(bytes) ? [] : name));
  assert.equal(changed.sort(), names.sort());
  assert.ok(names.length > 0 && after.has("b/checkpoint/crimg-edits.jsonl"));
});

test("a directory that holds the files of an archive is copied, and not edited in place", async () => {
  needsRoot("reading what tar unpacks with the modes of an archive");
  const home = freshDirectory("unpacked");
  const archive = path.join(home, "t.tar");
  fs.writeFileSync(archive, tickerTar());
  const from = path.join(home, "from");
  fs.mkdirSync(from);
  assert.is(spawnSync("tar", ["-C", from, "-xf", archive]).status, 0);
  const to = path.join(home, "to");
  const { code, stderr } = await crimg(["edit", from, ...EDITS, "-o", to]);
  assert.is(code, 0, stderr);
  assert.is(spawnSync("diff", ["-rq", from, to], { encoding: "utf8" }).stdout.split("\n").length, 4);
  assert.match((await crimg(["show", to, "fds"])).stdout, /TCP 0\.0\.0\.0:9090/);
  const inPlace = await crimg(["edit", from, ...EDITS, "--in-place"]);
  assert.is(inPlace.code, 2);
  assert.match(inPlace.stderr, /not edited in place; write a new one with -o, or edit the images alone/);
});

test("what cannot be written is refused, and nothing is left", async () => {
  const home = freshDirectory("refused");
  const stream = path.join(home, "stream");
  const images = Object.fromEntries(
    setEntries("logger").map(({ name, content }) => [name, content as Buffer]),
  );
  fs.writeFileSync(stream, shards(images, 1)[0] as Buffer);
  const twice = path.join(home, "twice.gz");
  fs.writeFileSync(twice, gzipSync(gzipSync(containerTar("logger"))));
  const double = path.join(home, "double.tar");
  const entries = setEntries("logger", "checkpoint/");
  fs.writeFileSync(double, tar([...entries, ...entries]));
  for (const [archive, message] of [
    [stream, /CRIU stream \(criu-image-streamer\) is read only; take the set out: crimg convert/],
    [twice, /compressed twice is read only/],
    [double, /two members ".*": it is not edited/],
  ] as const) {
    const { code, stderr } = await crimg([
      ...["edit", archive, "--remap-path", "/var/lib/crimg-demo=/srv/demo"],
      ...["-o", path.join(home, "new")],
    ]);
    assert.is(code, 2);
    assert.match(stderr, message);
  }
  assert.equal(fs.readdirSync(home).sort(), ["double.tar", "stream", "twice.gz"]);
  const exists = await crimg(["edit", TICKER, ...EDITS, "-o", double]);
  assert.match(exists.stderr, /the file exists; name a new one, or edit it --in-place/);
  const recover = await crimg(["recover", TICKER]);
  assert.is(recover.code, 2);
  assert.match(recover.stderr, /an edit in place of an archive puts a whole new file in its place/);
});

test("zstd without the program zstd is not written", async () => {
  const to = path.join(freshDirectory("without"), "new");
  const { code, stderr } = await crimg(["edit", TICKER, ...EDITS, "-o", to], {
    env: { PATH: "/nonexistent" },
  });
  const hasZstd = "createZstdCompress" in (await import("node:zlib"));
  assert.is(code, hasZstd ? 0 : 2);
  if (!hasZstd) assert.match(stderr, /the program zstd is missing, which writes archives of this kind/);
  assert.is(fs.existsSync(to), hasZstd);
});

test.run();
