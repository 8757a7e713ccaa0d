import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { walkStream } from "../helpers/walk-stream.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/criu/", import.meta.url));
const LOGGER = `${FIXTURES}logger`;
const CONTAINER = `${FIXTURES}container`;
const TAIL = 9001;
const test = suite("cli: convert");

function isWhole(stream: Buffer): boolean {
  const { records, end } = walkStream(stream);
  return end === stream.length && records.at(-1)?.id === TAIL;
}

test("a set becomes a file for its owner alone, and a set again that is the same", async () => {
  const dir = freshDirectory("convert");
  const [stream, again] = [join(dir, "logger.ckpt"), join(dir, "again")];
  const there = await crimg(["convert", LOGGER, stream]);
  const size = statSync(stream).size;
  assert.equal(
    [there.code, there.stdout, there.stderr],
    [0, `wrote ${stream} (linux-cr, ${size} bytes)\n`, ""],
  );
  assert.is(statSync(stream).mode & 0o777, 0o600);
  assert.ok(isWhole(readFileSync(stream)));
  const back = await crimg(["convert", stream, again]);
  assert.equal([back.code, back.stderr], [0, ""]);
  assert.is(statSync(again).mode & 0o777, 0o700);
  const diff = await crimg(["diff", LOGGER, again]);
  assert.equal([diff.code, diff.stdout], [0, `no differences between ${LOGGER} and ${again}\n`]);
  assert.equal(readdirSync(dir).sort(), ["again", "logger.ckpt"]);
});

test("a stream goes through pipes in both directions", async () => {
  const again = join(freshDirectory("convert-pipe"), "again");
  const there = await crimg(["convert", LOGGER, "-"]);
  assert.equal([there.code, there.stderr], [0, ""]);
  assert.ok(isWhole(there.bytes));
  const back = await crimg(["convert", "-", again], { input: there.bytes });
  assert.equal([back.code, back.stderr], [0, ""]);
  const diff = await crimg(["diff", LOGGER, again]);
  assert.is(diff.code, 0, diff.stdout);
});

test("-D names the set", async () => {
  const { code, bytes } = await crimg(["convert", "-D", LOGGER, "-"]);
  assert.is(code, 0);
  assert.ok(isWhole(bytes));
});

test("what cannot be expressed is listed, and nothing is written without --lossy", async () => {
  const dir = freshDirectory("convert-lossy");
  const out = join(dir, "container.ckpt");
  const refused = await crimg(["convert", CONTAINER, out]);
  assert.is(refused.code, 1);
  const lines = refused.stdout.trimEnd().split("\n");
  assert.ok(lines.some((line) => /^mount namespace 13: its mounts .* \(.*\)$/.test(line)));
  assert.is(refused.stderr, `${lines.length} losses; nothing was written (convert anyway with --lossy)\n`);
  assert.equal(readdirSync(dir), []);

  const done = await crimg(["convert", CONTAINER, out, "--lossy"]);
  assert.equal([done.code, done.stderr], [0, ""]);
  assert.equal(done.stdout.split("\n").slice(0, lines.length), lines);
  assert.ok(isWhole(readFileSync(out)));
});

test("losses go beside a stream on stdout, not into it", async () => {
  const refused = await crimg(["convert", CONTAINER, "-"]);
  assert.equal([refused.code, refused.bytes.length], [1, 0]);
  const done = await crimg(["convert", CONTAINER, "-", "--lossy"]);
  assert.is(done.code, 0);
  assert.ok(isWhole(done.bytes));
  assert.match(done.stderr, /^mount namespace 13/m);
});

test("--json says what was lost and what was written", async () => {
  const out = join(freshDirectory("convert-json"), "container.ckpt");
  const refused = await crimg(["convert", CONTAINER, out, "--json"]);
  const answer = JSON.parse(refused.stdout);
  assert.equal([refused.code, answer.from, answer.to, answer.written], [1, "criu", "linux-cr", undefined]);
  assert.equal(Object.keys(answer.losses[0]), ["object", "what", "why"]);
  const done = await crimg(["convert", CONTAINER, out, "--json", "--lossy"]);
  assert.equal(JSON.parse(done.stdout).written, { path: out, size: statSync(out).size });
});

test("what is there already stays, unless it is a file and --force", async () => {
  const dir = freshDirectory("convert-force");
  const out = join(dir, "old");
  writeFileSync(out, "old");
  const refused = await crimg(["convert", LOGGER, out]);
  assert.equal([refused.code, readFileSync(out, "utf8")], [2, "old"]);
  assert.match(refused.stderr, /^error: .*file exists; name a new one, or use --force\n$/);
  const forced = await crimg(["convert", LOGGER, out, "--force"]);
  assert.is(forced.code, 0);
  assert.ok(isWhole(readFileSync(out)));
  for (const force of [[], ["--force"]]) {
    const { code, stderr } = await crimg(["convert", out, dir, ...force]);
    assert.is(code, 2);
    assert.match(stderr, /directory exists and is not empty/);
    assert.is((await crimg(["convert", LOGGER, dir, ...force])).code, 2);
  }
  assert.equal(readdirSync(dir), ["old"]);
});

test("nothing half-written stays when writing fails", async () => {
  const dir = freshDirectory("convert-broken");
  const stream = join(dir, "logger.ckpt");
  await crimg(["convert", LOGGER, stream]);
  const bytes = readFileSync(stream);
  writeFileSync(stream, bytes.subarray(0, bytes.length / 2));
  const { code, stderr } = await crimg(["convert", stream, join(dir, "set")]);
  assert.is(code, 2);
  assert.match(stderr, /^error: [^\n]*truncated[^\n]*\n$/);
  assert.not.ok(existsSync(join(dir, "set")));
  const nowhere = await crimg(["convert", LOGGER, join(dir, "no", "such", "place")]);
  assert.is(nowhere.code, 2);
  assert.match(nowhere.stderr, /^error: [^\n]*no such file or directory[^\n]*\n$/);
  assert.equal(readdirSync(dir), ["logger.ckpt"]);
  chmodSync(stream, 0o600);
});

for (const [args, text] of [
  [["convert", LOGGER], /missing OUT/],
  [["convert", LOGGER, "/tmp/x", "--to", "criu"], /this is a CRIU image set already/],
  [["convert", LOGGER, "/tmp/x", "--to", "tar"], /--to/],
  [["convert", "/no/such/set", "/tmp/x"], /no such file or directory/],
] as const)
  test(`${args.slice(1).join(" ")} is refused in one line`, async () => {
    const { code, stdout, stderr } = await crimg(args);
    assert.equal([code, stdout], [2, ""]);
    assert.match(stderr, text);
    assert.is(stderr.trimEnd().split("\n").length, 1);
  });

test("a set does not go to stdout", async () => {
  const stream = join(freshDirectory("convert-stdout"), "logger.ckpt");
  await crimg(["convert", LOGGER, stream]);
  const { code, stdout, stderr } = await crimg(["convert", stream, "-"]);
  assert.equal([code, stdout], [2, ""]);
  assert.match(stderr, /cannot write a CRIU set to stdout/);
});

test.run();
