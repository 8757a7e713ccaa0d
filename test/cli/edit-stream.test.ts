import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { assertBytes } from "../helpers/bytes.js";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { streamBytes } from "../unit/ops/edit/stream/planned-stream.js";

const test = suite("crimg edit, log and undo of streams");
test.after(cleanUp);

const MINIMAL = path.join(import.meta.dirname, "../../fixtures/linux-cr/minimal.ckpt");

/** A directory with a stream in it. */
function fileWith(bytes: Buffer): string {
  const file = path.join(freshDirectory("edit-stream"), "app.ckpt");
  fs.writeFileSync(file, bytes);
  return file;
}

function names(file: string): string[] {
  return fs.readdirSync(path.dirname(file)).sort();
}

test("a dry run of the fixture shows what would change, and writes nothing", async () => {
  const before = fs.readdirSync(path.dirname(MINIMAL));
  const { code, stdout } = await crimg(["edit", MINIMAL, "--remap-path", "/tmp=/srv", "--dry-run"], {
    env: { COLUMNS: "200" },
  });
  assert.is(code, 0);
  assert.match(stdout, /in 1 image of .*minimal\.ckpt/);
  assert.match(stdout, /minimal\.ckpt +41 +text +\/tmp\/minimal\.log +\/srv\/minimal\.log/);
  assert.equal(fs.readdirSync(path.dirname(MINIMAL)), before);
});

test("a new file: the original is untouched, the log stands beside it, undo gives the original back", async () => {
  const file = fileWith(fs.readFileSync(MINIMAL));
  const [moved, back] = [`${file}.moved`, `${file}.back`];
  assert.is((await crimg(["edit", file, "--remap-path", "/tmp=/srv/longer", "-o", moved])).code, 0);
  assert.is((await crimg(["info", moved])).code, 0);
  assert.equal(names(file), ["app.ckpt", "app.ckpt.moved", "app.ckpt.moved.crimg-log"]);
  const log = await crimg(["log", moved], { env: { COLUMNS: "200" } });
  assert.is(log.code, 0);
  assert.match(log.stdout, /--remap-path \/tmp=\/srv\/longer +\d+ +app\.ckpt\.moved/);
  assert.is((await crimg(["undo", moved, "-o", back])).code, 0);
  assertBytes(fs.readFileSync(back), fs.readFileSync(file));
  assert.is((await crimg(["undo", moved])).code, 0);
  assertBytes(fs.readFileSync(moved), fs.readFileSync(file));
  assert.equal(names(file), ["app.ckpt", "app.ckpt.back", "app.ckpt.moved"]);
});

test("in place, several edits, and as many steps back; a stream may be renamed with its log", async () => {
  const original = streamBytes("rich");
  const file = fileWith(original);
  fs.chmodSync(file, 0o640);
  assert.is((await crimg(["edit", file, "--comm", "1=one", "--in-place"])).code, 0);
  assert.is((await crimg(["edit", file, "--expiry", "all=+1h", "--drop-fd", "1:3", "--in-place"])).code, 0);
  assert.is(fs.statSync(file).mode & 0o777, 0o640);
  assert.is(fs.statSync(`${file}.crimg-log`).mode & 0o777, 0o600);
  const renamed = path.join(path.dirname(file), "renamed");
  fs.renameSync(file, renamed);
  fs.renameSync(`${file}.crimg-log`, `${renamed}.crimg-log`);
  const log = await crimgJson(["log", renamed]);
  assert.is(log.code, 0);
  assert.equal(
    (log.json as { edits: { edits: string[] }[] }).edits.map((entry) => entry.edits),
    [["--comm 1=one"], ["--drop-fd 1:3", "--expiry all=+1h"]],
  );
  assert.is((await crimg(["undo", renamed, "--steps", "3"])).code, 2);
  assert.is((await crimg(["undo", renamed, "--steps", "2"])).code, 0);
  assertBytes(fs.readFileSync(renamed), original);
  assert.equal(names(file), ["renamed"]);
});

test("a symbolic link leads to the stream: the file behind it changes, and its log stands beside that", async () => {
  const file = fileWith(streamBytes("rich"));
  const link = path.join(freshDirectory("edit-stream-link"), "link");
  fs.symlinkSync(file, link);
  assert.is((await crimg(["edit", link, "--comm", "1=one", "--in-place"])).code, 0);
  assert.ok(fs.lstatSync(link).isSymbolicLink());
  assert.equal(names(file), ["app.ckpt", "app.ckpt.crimg-log"]);
  assert.is((await crimg(["undo", link])).code, 0);
  assertBytes(fs.readFileSync(file), streamBytes("rich"));
});

test("log and undo notice that something else has changed the stream", async () => {
  const file = fileWith(streamBytes("rich"));
  await crimg(["edit", file, "--comm", "1=one", "--in-place"]);
  fs.appendFileSync(file, "x");
  const before = fs.readFileSync(file);
  const log = await crimg(["log", file]);
  assert.equal([log.code, /was changed by another program/.test(log.stderr)], [1, true]);
  const undo = await crimg(["undo", file]);
  assert.is(undo.code, 2);
  assert.match(undo.stderr, /^error: [^\n]*\n$/);
  assertBytes(fs.readFileSync(file), before);
});

test("from a pipe into a pipe, and from a pipe into a file with a log", async () => {
  const input = streamBytes("rich");
  const out = await crimg(["edit", "-", "--comm", "1=one", "-o", "-"], { input });
  assert.equal([out.code, out.stderr], [0, ""]);
  const file = fileWith(input);
  fs.rmSync(file);
  assert.is((await crimg(["edit", "-", "--comm", "1=one", "-o", file], { input })).code, 0);
  assertBytes(fs.readFileSync(file), out.bytes);
  assert.equal(names(file), ["app.ckpt", "app.ckpt.crimg-log"]);
  assert.is((await crimg(["undo", file])).code, 0);
  assertBytes(fs.readFileSync(file), input);
  const pages = await crimg(["edit", "-", "--env", "1:PATH=/x", "-o", "-"], {
    input: streamBytes("container"),
  });
  assert.is(pages.code, 0);
  assert.ok(pages.bytes.includes("PATH=/x\0"));
});

for (const [args, error] of [
  [["edit", "-", "--comm", "1=x", "--in-place"], /comes through a pipe, so there is no file to change/],
  [["edit", "-", "--comm", "1=x", "-o", "-", "--json"], /--json and the stream both go to stdout/],
  [["undo", "-"], /comes through a pipe/],
  [["log", "-"], /comes through a pipe/],
  [["edit", "-", "--comm", "1=x", "-o", "/nowhere/there/x"], /cannot spool the input/],
] as const)
  test(`${args.join(" ")} says why not in one sentence`, async () => {
    const { code, stderr } = await crimg(args, { input: streamBytes("rich") });
    assert.is(code, 2);
    assert.match(stderr, /^error: [^\n]*\n$/);
    assert.match(stderr, error);
  });

test("a file that is there is not written over; a set does not go to stdout; nothing matched writes nothing", async () => {
  const file = fileWith(streamBytes("rich"));
  fs.writeFileSync(`${file}.x`, "mine");
  const there = await crimg(["edit", file, "--comm", "1=x", "-o", `${file}.x`]);
  assert.equal([there.code, /the file exists; name a new one/.test(there.stderr)], [2, true]);
  assert.is(fs.readFileSync(`${file}.x`, "utf8"), "mine");
  const none = await crimg(["edit", file, "--comm", "99=x", "-o", "-"]);
  assert.equal([none.code, none.bytes.length], [1, 0]);
  assert.equal(names(file), ["app.ckpt", "app.ckpt.x"]);
});

test("leases and timers: seconds before and after, and the moment after a restart that takes so long", async () => {
  const file = fileWith(streamBytes("rich"));
  const { stdout, stderr } = await crimg(
    ["edit", file, "--lease-expiry", "all=+45s", "--restart-takes", "1m", "--dry-run"],
    { env: { COLUMNS: "200" } },
  );
  assert.match(
    stdout,
    /lease 1:0 .* 30 s +75 s +75 s after the restart began; the restart takes 60 s: 15 s are left/,
  );
  assert.match(stderr, /30 s before, 75 s now/);
  const { json } = await crimgJson(["edit", file, "--expiry", "sleep[1]=x2", "--in-place"]);
  const { due, applied } = json as { due: unknown; applied: { file: string } };
  assert.equal(due, [
    {
      edit: "--expiry 'sleep[1]=x2'",
      image: "app.ckpt",
      record: 15,
      what: "sleep of 1",
      before: 1500000000,
      after: 3000000000,
    },
  ]);
  assert.is(applied.file, file);
});

test("a deleted file goes out of the stream as the stream is written, and comes in again", async () => {
  const file = fileWith(streamBytes("deleted"));
  const root = path.dirname(file);
  const name = "/var/lib/crimg-demo/deleted/sparse";
  const out = ["edit", file, "--root", root, "--deleted", `${name}=copy:/sparse`];
  assert.is((await crimg([...out, "--dry-run"])).code, 0);
  assert.equal(names(file), ["app.ckpt"]);
  const json = await crimgJson([...out, "--in-place"]);
  assert.equal(
    (json.json as { newFiles: { path: string; size: number }[] }).newFiles.map(({ path: to, size }) => [
      to,
      size,
    ]),
    [["/sparse", 67108864]],
  );
  assert.equal(names(file), ["app.ckpt", "app.ckpt.crimg-log", "sparse"]);
  assert.is(fs.statSync(path.join(root, "sparse")).size, 67108864);
  const back = ["edit", file, "--root", root, "--deleted", `${name}=contents`, "-o", `${file}.back`];
  assert.is((await crimg(back)).code, 0);
  assertBytes(fs.readFileSync(`${file}.back`), streamBytes("deleted"));
  const set = path.join(import.meta.dirname, "../../fixtures/criu/deleted");
  const refused = await crimg(["edit", set, "--deleted", `${name}=contents`, "--dry-run"]);
  assert.equal([refused.code, /ghost files and link remaps/.test(refused.stderr)], [2, true]);
});

test("recipes with variables and policies", async () => {
  const file = fileWith(streamBytes("rich"));
  const recipe = path.join(path.dirname(file), "move.yaml");
  fs.writeFileSync(
    recipe,
    [
      "vars: { to: /srv }",
      `remap-path: { /var: '${"$"}{to}/var' }`,
      "lease-expiry: +5s",
      "policies:",
      "  - { type: PIPE, action: drop }",
      "",
    ].join("\n"),
  );
  const { code, stderr } = await crimg(["edit", file, "-f", recipe, "--var", "to=/mnt", "--in-place"]);
  assert.is(code, 0, stderr);
  const fds = await crimg(["show", file, "fds"], { env: { COLUMNS: "200" } });
  assert.match(fds.stdout, /\/mnt\/var\/log\/app\.log/);
  assert.not.match(fds.stdout, /PIPE/);
});

test("killed at random moments: the stream is the old or the new one, and undo still works", async () => {
  const original = streamBytes("tree");
  const file = fileWith(original);
  const args = ["edit", file, "--remap-path", "/var=/srv/elsewhere", "--in-place"];
  const start = Date.now();
  assert.is((await crimg(args)).code, 0);
  const took = Date.now() - start;
  const edited = fs.readFileSync(file);
  const seen = { old: 0, new: 0 };
  const KILLS = 12;
  for (let i = 0; i < KILLS; i++) {
    fs.rmSync(`${file}.crimg-log`, { force: true });
    fs.writeFileSync(file, original);
    const child = spawn(process.execPath, [CRIMG, ...args], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, took * ((i + Math.random()) / KILLS)));
    child.kill("SIGKILL");
    await ended;
    const isOld = fs.readFileSync(file).equals(original);
    assert.ok(isOld || fs.readFileSync(file).equals(edited), "neither the old nor the new stream");
    const recovered = await crimg(["recover", file]);
    assert.is(recovered.code, 0, recovered.stderr);
    const isNew = fs.readFileSync(file).equals(edited);
    assert.equal(names(file), isNew ? ["app.ckpt", "app.ckpt.crimg-log"] : ["app.ckpt"]);
    isNew ? seen.new++ : seen.old++;
    if (!isNew) continue;
    assert.is((await crimg(["undo", file])).code, 0);
    assertBytes(fs.readFileSync(file), original);
  }
  assert.ok(seen.old > 0, JSON.stringify(seen));
});

test("what others left in a directory that all may write into is not carried out", async () => {
  const file = fileWith(streamBytes("rich"));
  const directory = path.dirname(file);
  const lock = path.join(directory, ".crimg-edit");
  fs.mkdirSync(lock);
  fs.writeFileSync(path.join(lock, "evil-0"), "evil");
  fs.writeFileSync(
    path.join(lock, "commit"),
    JSON.stringify({ replace: [{ staged: "evil-0", name: "app.ckpt" }], remove: [] }),
  );
  execFileSync("chown", ["-R", "65534", lock]);
  assert.is((await crimg(["info", file])).code, 0);
  assertBytes(fs.readFileSync(file), streamBytes("rich"));
});

test.run();
