import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { IMAGES } from "../../src/formats/criu/images.js";
import { SetBuilder } from "../helpers/build-set.js";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { core, regular } from "../unit/ops/show/sets.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LOGGER = "fixtures/criu/logger";
const test = suite("crimg show and crimg x");
test.after(cleanUp);
const inRoot = { cwd: ROOT };

test("without a view there is one screen that says what the image is", async () => {
  const { code, stdout, stderr } = await crimg(["show", LOGGER], inRoot);
  assert.equal([code, stderr], [0, ""]);
  assert.ok(stdout.split("\n").length < 24, stdout);
  assert.match(stdout, /^PROGRAM {3}\[1000\] \/var\/lib\/crimg-demo\/logger\/bin\/logger/m);
  assert.match(stdout, /^CRIU {6}4\.\d+ or later /m);
  assert.ok(stdout.split("\n").every((line) => line.length <= 80));
});

test("WHEN: a copy of an edit keeps the time of the dump", async () => {
  const home = freshDirectory("when");
  const [set, edited] = [join(home, "set"), join(home, "edited")];
  cpSync(join(ROOT, LOGGER), set, { recursive: true });
  utimesSync(join(set, "stats-dump"), 1_700_000_000, 1_700_000_000);
  await crimg(["edit", set, "--comm", "1000=other", "-o", edited]);
  for (const each of [set, edited])
    assert.match(
      (await crimg(["show", each])).stdout,
      /^WHEN +2023-11-14 22:13:20 UTC \(mtime of stats-dump\)/m,
    );
});

test("WHEN: a file that is newer than the image can be is told as a copy", async () => {
  const home = freshDirectory("when");
  const when = async (image: string) =>
    (await crimg(["show", image], { env: { COLUMNS: "200" } })).stdout.match(/^WHEN +(.*?); uptime/m)?.[1] ??
    "";
  const set = join(home, "set");
  cpSync(join(ROOT, LOGGER), set, { recursive: true });
  const stats = join(set, "stats-dump");
  await crimg(["edit", set, "--comm", "1000=other", "--in-place"]);
  utimesSync(stats, 1_700_000_000, 1_700_000_000);
  assert.is(await when(set), "2023-11-14 22:13:20 UTC (mtime of stats-dump)");
  const now = Date.now() / 1000 + 30;
  utimesSync(stats, now, now);
  assert.match(
    await when(set),
    /^before 20[\d: -]+ UTC \(its first edit\); the mtime of stats-dump, .* is that of a copy$/,
  );
  const { json } = await crimgJson(["show", set]);
  const { time, notAfter } = (json as { checkpoint: { time: string; notAfter: { time: string } } })
    .checkpoint;
  assert.ok(time > notAfter.time);
  writeFileSync(join(set, "crimg-edits.jsonl"), "no log of ours\n");
  utimesSync(stats, 4_000_000_000, 4_000_000_000);
  assert.match(await when(set), /^before .* \(now\); /);
  const container = join(home, "container");
  mkdirSync(container);
  for (const [text, expected] of [
    ["2021-03-04T05:06:07.123456789Z", /^before 2021-03-04 05:07:07 UTC \(its checkpoint, as the engine/],
    ["no time", /^20[\d: -]+ UTC \(mtime of stats-dump\)$/],
  ] as const) {
    writeFileSync(
      join(container, "config.dump"),
      JSON.stringify({ id: "a", name: "b", checkpointedTime: text }),
    );
    cpSync(join(ROOT, LOGGER), join(container, "checkpoint"), { recursive: true });
    assert.match(await when(container), expected, text);
  }
});

test("-D stands for the image", async () => {
  const args = await crimg(["show", LOGGER, "fds"], inRoot);
  const flag = await crimg(["show", "-D", LOGGER, "fds"], inRoot);
  assert.equal([flag.code, flag.stdout], [0, args.stdout]);
});

for (const view of ["fds", "maps", "creds", "locks", "sockets", "env"])
  test(`an unknown pid ends ${view} with 1 and the pids that there are`, async () => {
    const { code, stdout, stderr } = await crimg(["show", LOGGER, view, "-p", "4711"], inRoot);
    assert.equal([code, stdout], [1, ""]);
    assert.is(stderr, "error: no task with pid 4711 (expected one of 1000)\n");
  });

test("an unknown pid is JSON under --json", async () => {
  const { code, json } = await crimgJson(["show", LOGGER, "fds", "-p", "4711"], inRoot);
  assert.is(code, 1);
  assert.equal(json, {
    schema: "crimg/1",
    command: "show",
    error: { code: "MISSING", message: "no task with pid 4711 (expected one of 1000)" },
  });
});

test("-p may be given several times, and limits to these tasks", async () => {
  const { json } = await crimgJson(["show", "fixtures/criu/tree", "fds", "-p", "1004", "-p", "1003"], inRoot);
  const { tasks } = json as { tasks: { pid: number }[] };
  assert.equal(
    tasks.map(({ pid }) => pid),
    [1004, 1003],
  );
});

for (const [args, sentence] of [
  [["fds", "--runs"], "--runs does not apply to the view fds, only to rss"],
  [["maps", "-t"], "--threads does not apply to the view maps, only to tree"],
  [["ipc", "-p", "1000"], "-p does not apply to the view ipc, which covers all tasks"],
  [["record", "pstree.img", "-p", "1000"], "-p does not apply to the view record, which covers all tasks"],
  [["-p", "1000"], "-p does not apply to the summary, which covers all tasks"],
] as const)
  test(`a flag without effect is refused: show ${args.join(" ")}`, async () => {
    const { code, stderr } = await crimg(["show", LOGGER, ...args], inRoot);
    assert.equal([code, stderr], [2, `error: ${sentence}\n`]);
  });

for (const [typed, sentence] of [
  ["lokcs", 'unknown view "lokcs"; did you mean "locks"?'],
  ["sock", 'unknown view "sock"; did you mean "sockets"?'],
  ["everything", /^error: unknown view "everything" \(expected tree, fds, .*, record\)\n$/],
] as const)
  test(`the unknown view ${typed} ends with 2 and what was meant`, async () => {
    const { code, stderr } = await crimg(["show", LOGGER, typed], inRoot);
    assert.is(code, 2);
    if (typeof sentence === "string") assert.is(stderr, `error: ${sentence}\n`);
    else assert.match(stderr, sentence);
  });

for (const [args, code, sentence] of [
  [["record"], 2, /name an image or a record/],
  [["fds", "files.img[3]"], 2, /only the view record takes one/],
  [["record", "files.img[99]"], 1, /no such record 99 in files\.img/],
  [["record", "nope.img"], 1, /no such image nope\.img/],
  [["record", "pages-1.img"], 1, /is a raw image/],
  [["-p", "1000"], 2, /does not apply to the summary, which covers all tasks/],
] as const)
  test(`show ${args.join(" ")} ends with ${code}`, async () => {
    const result = await crimg(["show", LOGGER, ...args], inRoot);
    assert.is(result.code, code);
    assert.match(result.stderr, sentence);
    assert.is(result.stdout, "");
  });

test("a directory without images is one sentence and 2", async () => {
  const { code, stderr } = await crimg(["show", "src"], inRoot);
  assert.is(code, 2);
  assert.match(stderr, /^error: src: not a checkpoint image directory.*\n$/);
});

test("JSON names its schema and view, and has exact numbers", async () => {
  const { code, json } = await crimgJson(["show", LOGGER, "maps"], inRoot);
  const { schema, command, view, tasks } = json as Record<string, unknown>;
  assert.equal([code, schema, command, view], [0, "crimg/1", "show", "maps"]);
  const [first] = (tasks as { mappings: Record<string, unknown>[] }[])[0]?.mappings ?? [];
  assert.equal([first?.start, first?.end, first?.size], ["0x400000", "0x401000", 4096]);
});

test("a damaged image shows what can be read, says the rest, and ends with 2", async () => {
  const dir = mkdtempSync(join(tmpdir(), "crimg-show-"));
  try {
    execFileSync("cp", ["-r", join(ROOT, LOGGER), join(dir, "set")]);
    writeFileSync(join(dir, "set/files.img"), "rubbish");
    const { code, stdout, stderr } = await crimg(["show", join(dir, "set")]);
    assert.is(code, 2);
    assert.match(stdout, /^TASKS {5}1 task, 1 thread$/m);
    assert.match(stderr, /^warning: .*files\.img: not a CRIU image \(magic 0x62627572/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("what an image says cannot reach the terminal", async () => {
  const dir = mkdtempSync(join(tmpdir(), "crimg-show-"));
  const evil = "/tmp/\u001b]0;owned\u0007\u202e\n[1] fake";
  const set = new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 2 }])
    .image(IMAGES.PSTREE, undefined, [{ pid: 1, ppid: 0, pgid: 1, sid: 1, threads: [1] }])
    .image(IMAGES.CORE, 1, [core({ comm: "\u001b[2J\r", files: 2 })])
    .image(IMAGES.FDINFO, 2, [{ fd: 0, id: 1, type: 1, flags: 0 }])
    .image(IMAGES.FS, 1, [{ cwd_id: 1, root_id: 1 }])
    .image(IMAGES.FILES, undefined, [{ type: 1, id: 1, reg: regular(1, evil) }]);
  try {
    for (const [name, bytes] of set.files) writeFileSync(join(dir, name), bytes);
    for (const view of [
      [],
      ["tree"],
      ["fds"],
      ["files"],
      ["maps"],
      ["signals"],
      ["env"],
      ["record", "files.img"],
    ]) {
      const { stdout, stderr } = await crimg(["show", dir, ...view]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
      assert.not.match(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f\u202e]/, view.join(" "));
    }
    const { json } = await crimgJson(["show", dir, "fds"]);
    assert.is((json as { tasks: { cwd: string }[] }).tasks[0]?.cwd, evil);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

for (const [word, view] of [
  ["ps", ["tree"]],
  ["fds", ["fds"]],
  ["fd", ["fds"]],
  ["mems", ["maps"]],
  ["mem", ["maps"]],
  ["rss", ["rss", "--runs"]],
  ["sk", ["sockets"]],
] as const)
  test(`x ${word} says what show ${view.join(" ")} says`, async () => {
    const x = await crimg(["x", "fixtures/criu/sockets", word], inRoot);
    const show = await crimg(["show", "fixtures/criu/sockets", ...view], inRoot);
    assert.equal([x.code, x.stderr, x.stdout], [0, "", show.stdout]);
  });

test("x without a word, or with an unknown one, ends with 2", async () => {
  for (const args of [["x", LOGGER], ["x", LOGGER, "nope"], ["x"]])
    assert.is((await crimg(args, inRoot)).code, 2);
});

test("a reader that goes away ends it silently", () => {
  const run = spawnSync(
    "sh",
    ["-c", `"${process.execPath}" "${CRIMG}" show fixtures/criu/tree maps | head -1`],
    inRoot,
  );
  assert.equal([run.status, run.stderr.toString()], [0, ""]);
});

test("close-on-exec is told once, also for a file that was opened with O_CLOEXEC", async () => {
  const set = join(freshDirectory("show"), "set");
  const flags = ["--set", "files.img[3].reg.flags=O_WRONLY|O_CLOEXEC", "--set", "fdinfo-2.img[3].flags=1"];
  assert.is((await crimg(["edit", LOGGER, ...flags, "-o", set], inRoot)).code, 0);
  const { stdout } = await crimg(["show", set, "fds"]);
  assert.match(stdout, /w,cloexec /);
  assert.not.match(stdout, /cloexec,cloexec/);
});

test.run();
