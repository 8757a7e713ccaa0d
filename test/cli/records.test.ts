import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { assertBytes } from "../helpers/bytes.js";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LOGGER = join(ROOT, "fixtures/criu/logger");
const FILES = join(LOGGER, "files.img");
const test = suite("crimg decode, encode, info, dump, find");
test.after(cleanUp);

const scratch = freshDirectory("records");
const image = readFileSync(FILES);
const json = (await crimg(["decode", FILES])).stdout;

const WAYS: [string, () => Promise<string>][] = [
  ["by argument", async () => (await crimg(["decode", FILES])).stdout],
  ["by -i", async () => (await crimg(["decode", "-i", FILES])).stdout],
  ["by --in", async () => (await crimg(["decode", "--in", FILES])).stdout],
  ["by --input", async () => (await crimg(["decode", "--input", FILES])).stdout],
  ["from stdin", async () => (await crimg(["decode"], { input: image })).stdout],
  ["from stdin as -", async () => (await crimg(["decode", "-"], { input: image })).stdout],
  ["by name in -D", async () => (await crimg(["decode", "-D", LOGGER, "files.img"])).stdout],
  ["into -o", async () => written("-o", FILES)],
  ["into --out", async () => written("--out", FILES)],
  ["into --output", async () => written("--output", FILES)],
];

async function written(flag: string, file: string): Promise<string> {
  const to = join(scratch, `out${flag}`);
  const { code, stdout } = await crimg(["decode", file, flag, to]);
  assert.equal([code, stdout], [0, ""]);
  return readFileSync(to, "utf8");
}

for (const [way, run] of WAYS)
  test(`decode ${way} gives the same JSON`, async () => {
    assert.is(await run(), json);
    assert.is(JSON.parse(json).magic, "FILES");
  });

test("decode and encode through pipes, and into files, give the image back", async () => {
  assertBytes((await crimg(["encode"], { input: json })).bytes, image);
  const [from, to] = [join(scratch, "files.json"), join(scratch, "files.img")];
  writeFileSync(from, json);
  const { code, stdout } = await crimg(["encode", "-i", from, "-o", to]);
  assert.equal([code, stdout], [0, ""]);
  assertBytes(readFileSync(to), image);
  assert.equal((await crimgJson(["encode", from, "-o", to])).json, {
    schema: "crimg/1",
    command: "encode",
    file: to,
    size: image.length,
  });
});

test("what encode refuses leaves the old file as it was, and nothing beside it", async () => {
  const directory = join(scratch, "kept");
  mkdirSync(directory);
  const to = join(directory, "files.img");
  writeFileSync(to, "old");
  const { code, stderr } = await crimg(["encode", "-o", to], { input: json.replace('"pos"', '"pose"') });
  assert.is(code, 2);
  assert.match(
    stderr,
    /^error: stdin: unknown field "pose" of reg_file_entry \(expected .* \(in \[0\]\.reg\.pose\)\n$/,
  );
  assert.is(readFileSync(to, "utf8"), "old");
  assert.equal(readdirSync(directory), ["files.img"]);
  const lax = await crimg(["encode", "--lax"], { input: json.replace('"deleted"', '"removed"') });
  assert.is(lax.code, 0);
});

test("a damaged image leaves no half JSON behind -o", async () => {
  const [from, to] = [join(scratch, "cut.img"), join(scratch, "cut.json")];
  writeFileSync(from, image.subarray(0, 300));
  const { code, stderr } = await crimg(["decode", from, "-o", to]);
  assert.is(code, 2);
  assert.match(
    stderr,
    /^error: .*cut\.img: truncated: found \d+ bytes of a record \(expected \d+\) \(in \[\d\], at offset 0x[0-9a-f]+\)\n$/,
  );
  assert.not.ok(existsSync(to));
});

test("a reader that goes away ends decode, dump and find silently", () => {
  for (const command of [`decode "${FILES}"`, `dump "${FILES}"`, `find "${LOGGER}" 0`]) {
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", `"$0" "$1" ${command} | head -c 1`, process.execPath, CRIMG],
      {
        encoding: "utf8",
      },
    );
    assert.is(stdout.length, 1, command);
    assert.is(stderr, "", command);
  }
});

test("errors are JSON under --json", async () => {
  const { code, json } = await crimgJson(["decode", join(LOGGER, "pages-1.img")]);
  assert.is(code, 2);
  assert.is((json as { error: { code: string } }).error.code, "UNSUPPORTED");
  assert.is((await crimg(["decode", "no such file"])).code, 2);
  assert.is((await crimg(["decode", FILES, "-i", FILES])).code, 2);
  assert.is((await crimg(["decode", LOGGER])).code, 2);
  assert.is((await crimg(["decode", "-D", LOGGER])).code, 2);
});

test("info counts records, dump covers the file", async () => {
  const info = (await crimgJson(["info", FILES])).json as { count: number; size: number };
  assert.is(info.count, JSON.parse(json).entries.length);
  assert.is(info.size, statSync(FILES).size);
  const dump = (await crimgJson(["dump", FILES])).json as { ranges: { offset: number; size: number }[] };
  let at = 0;
  for (const { offset, size } of dump.ranges) {
    assert.is(offset, at);
    at += size;
  }
  assert.is(at, image.length);
  const { stdout } = await crimg(["dump", FILES], { env: { COLUMNS: "60" } });
  assert.ok(stdout.split("\n").every((line) => line.length <= 60));
});

test("dump of a damaged image gives what is in front of the damage, then the error", async () => {
  const from = join(scratch, "half.img");
  writeFileSync(from, image.subarray(0, 300));
  const { code, stdout, stderr } = await crimg(["dump", from]);
  assert.is(code, 2);
  assert.match(stdout, /\[1\]\.reg\.name/);
  assert.match(stderr, /truncated/);
});

test("find ends with 0, 1 or 2: found, not found, trouble", async () => {
  assert.is((await crimg(["find", LOGGER, "messages"])).code, 0);
  assert.equal(
    (await crimg(["find", "-D", LOGGER, "messages"])).stdout,
    (await crimg(["find", LOGGER, "messages"])).stdout,
  );
  const none = await crimg(["find", LOGGER, "nothing of the kind"]);
  assert.equal([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^note: memory, .* were not searched: crimg grep TEXT IMG searches them/);
  assert.is((await crimg(["find", LOGGER])).code, 2);
  assert.is((await crimg(["find", "/no/such/directory", "x"])).code, 2);
  assert.is((await crimg(["find", LOGGER, "(", "--regex"])).code, 2);
  const unrelated = join(scratch, "unrelated");
  mkdirSync(unrelated);
  writeFileSync(join(unrelated, "notes"), "messages");
  const other = await crimg(["find", unrelated, "messages"]);
  assert.equal([other.code, other.stdout], [2, ""]);
  assert.match(other.stderr, /: not a checkpoint image directory \(no image files\)\n$/);
  const damaged = join(scratch, "damaged");
  mkdirSync(damaged);
  for (const name of readdirSync(LOGGER))
    writeFileSync(join(damaged, name), readFileSync(join(LOGGER, name)));
  writeFileSync(join(damaged, "mm-1000.img"), "garbage");
  const { code, stdout, stderr } = await crimg(["find", damaged, "messages"]);
  assert.is(code, 2);
  assert.match(stdout, /^files\.img\[3\]\.reg\.name = ".*messages"$/m);
  assert.match(stderr, /^warning: .*mm-1000\.img: not a CRIU image \(magic 0x62726167/);
});

test("text from an image commands no terminal", async () => {
  const hostile = join(ROOT, "fixtures/malformed/escapes.img");
  for (const args of [
    ["decode", hostile],
    ["dump", hostile],
    ["find", hostile, "xx"],
  ]) {
    const { code, stdout } = await crimg(args);
    assert.is(code, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that must not be there
    assert.not.match(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, args[0]);
    assert.match(stdout, /\\u001b|\\x1b/, args[0]);
  }
});

test.run();
