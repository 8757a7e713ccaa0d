import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { IMAGES } from "../../src/formats/criu/images.js";
import { CRIMG, crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory, statOf, until } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("an edit in place that is killed", {}, 300);
test.after(cleanUp);

/** Tasks of the set: as many images change, so that there are many moments between the first and the last. */
const TASKS = 150;
const STAGED = TASKS + 1;
const KINDS = [IMAGES.CORE, IMAGES.MM, IMAGES.FS, IMAGES.IDS, IMAGES.PAGEMAP];

/** The logger as a tree of many tasks. */
function bigSet(directory: string): void {
  fs.cpSync(fixture("logger"), directory, { recursive: true });
  const [magic, record] = split(fs.readFileSync(path.join(directory, "pstree.img")));
  const records: Buffer[] = [magic];
  for (let i = 0; i < TASKS; i++) {
    const pid = 1000 + i;
    if (i > 0)
      for (const { file } of KINDS)
        fs.copyFileSync(
          path.join(directory, file.replace("%u", "1000")),
          path.join(directory, file.replace("%u", String(pid))),
        );
    records.push(record);
  }
  fs.writeFileSync(path.join(directory, "pstree.img"), Buffer.concat(records));
}

function split(image: Buffer): [Buffer, Buffer] {
  return [image.subarray(0, 8), image.subarray(8)];
}

function digest(directory: string): string {
  const hash = createHash("sha256");
  for (const name of fs.readdirSync(directory).sort()) {
    if (name === "crimg-edits.jsonl") continue; // it holds the time of the edit
    hash.update(name).update(fs.readFileSync(path.join(directory, name)));
  }
  return hash.digest("hex");
}

const home = freshDirectory("killed");
const original = path.join(home, "original");
const edited = path.join(home, "edited");
const ARGS = Array.from({ length: TASKS }, (_, i) => ["--comm", `${1000 + i}=renamed-${i}`]).flat();
let OLD = "";
let NEW = "";
let took = 0;

test.before(async () => {
  bigSet(original);
  fs.cpSync(original, edited, { recursive: true });
  const start = Date.now();
  const { code, stderr } = await crimg(["edit", edited, ...ARGS, "--in-place"]);
  took = Date.now() - start;
  assert.is(code, 0, stderr);
  OLD = digest(original);
  NEW = digest(edited);
  assert.is.not(OLD, NEW);
});

function startEdit() {
  const set = path.join(home, "set");
  fs.rmSync(set, { recursive: true, force: true });
  fs.cpSync(original, set, { recursive: true });
  const child = spawn(process.execPath, [CRIMG, "edit", set, ...ARGS, "--in-place"], { stdio: "ignore" });
  return { set, child, ended: new Promise((resolve) => child.on("exit", resolve)) };
}

/** Starts the edit of a fresh copy and kills it when `when` says so; gives the copy. */
async function killWhen(when: (set: string, ms: number) => boolean): Promise<string> {
  const { set, child, ended } = startEdit();
  const start = Date.now();
  while (child.exitCode === null && !when(set, Date.now() - start)) await sleep(0);
  child.kill("SIGKILL");
  await ended;
  return set;
}

/** What `crimg recover` makes of the set. */
async function recovered(set: string): Promise<string> {
  const { code, stderr } = await crimg(["recover", set]);
  assert.is(code, 0, stderr);
  assert.equal(
    fs.readdirSync(set).filter((name) => name.startsWith(".crimg")),
    [],
    "nothing is left behind",
  );
  const now = digest(set);
  assert.ok(now === OLD || now === NEW, "the set is neither the old nor the new one");
  assert.is(fs.existsSync(path.join(set, "crimg-edits.jsonl")), now === NEW);
  return now;
}

function count(directory: string): number {
  try {
    return fs.readdirSync(directory).length;
  } catch {
    return -1;
  }
}

test("at random moments: the set is the old or the new one", async () => {
  const seen = { old: 0, new: 0 };
  for (let i = 0; i < 12; i++) {
    const at = took * (0.2 + 0.9 * Math.random());
    const now = await recovered(await killWhen((_, ms) => ms >= at));
    now === OLD ? seen.old++ : seen.new++;
  }
  assert.ok(seen.old > 0, JSON.stringify(seen));
});

test("while files are staged: the set is the old one", async () => {
  let hits = 0;
  for (const files of [1, 50, 140]) {
    const set = await killWhen((directory) => {
      const stage = fs.readdirSync(directory).find((name) => name.startsWith(".crimg-stage-"));
      return stage !== undefined && count(path.join(directory, stage)) >= files;
    });
    const isStaged = fs.readdirSync(set).some((name) => name.startsWith(".crimg-stage-"));
    const now = await recovered(set);
    if (!isStaged) continue;
    hits++;
    assert.is(now, OLD);
  }
  assert.ok(hits > 0, "no kill came while files were staged");
});

function isStage(name: string): boolean {
  return name.startsWith(".crimg-stage-");
}

/**
 * Starts the edit of a fresh copy, stops it as soon as it holds the lock, lets it go on for moments of some 50 µs and kills
 * it when at most `left` files are still to be renamed. Gives how many were.
 */
async function killAmongRenames(left: number): Promise<{ set: string; staged: number }> {
  const { set, child, ended } = startEdit();
  const pid = child.pid as number;
  const lock = path.join(set, ".crimg-edit");
  await until("the first staged file", () => child.exitCode !== null || fs.readdirSync(set).some(isStage));
  const end = Date.now() + 20_000;
  while (!fs.existsSync(lock) && Date.now() < end && fs.readdirSync(set).some(isStage));
  let staged = STAGED;
  while (child.exitCode === null) {
    process.kill(pid, "SIGSTOP");
    let state = statOf(pid)?.state;
    while (state === "R" || state === "S" || state === "D") state = statOf(pid)?.state;
    staged = fs.existsSync(lock) ? fs.readdirSync(lock).filter((name) => /^new-\d+$/.test(name)).length : 0;
    if (staged <= left || state !== "T") break;
    const now = process.hrtime.bigint();
    process.kill(pid, "SIGCONT");
    while (process.hrtime.bigint() - now < 50_000n);
  }
  child.kill("SIGKILL");
  await ended;
  return { set, staged };
}

// All of it takes milliseconds, so on a busy machine no kill may come in time; test/unit/io/in-place.test.ts has each
// state between two renames made by hand.
test("between the first and the last rename: the set is mixed, and becomes the new one", async () => {
  let hits = 0;
  for (const left of [STAGED - 1, 140, 120, 100, 80, 60, 40, 20, 10, 2]) {
    if (hits === 3) break;
    const { set, staged } = await killAmongRenames(left);
    // The last one is the log, which no digest holds.
    const isMixed = staged > 1 && staged < STAGED;
    if (isMixed) {
      hits++;
      assert.not.ok([OLD, NEW].includes(digestOfFiles(set)), "the files were mixed");
    }
    const now = await recovered(set);
    if (isMixed) assert.is(now, NEW);
  }
});

/** Like `digest`, of a set with a directory of staged files in it. */
function digestOfFiles(set: string): string {
  const copy = path.join(home, "copy");
  fs.rmSync(copy, { recursive: true, force: true });
  fs.cpSync(set, copy, { recursive: true });
  fs.rmSync(path.join(copy, ".crimg-edit"), { recursive: true, force: true });
  return digest(copy);
}

test("of several that recover it at the same time one does", async () => {
  const set = await killWhen((directory) => fs.existsSync(path.join(directory, ".crimg-edit/commit")));
  const all = await Promise.all([1, 2, 3, 4].map(() => crimg(["recover", set])));
  for (const { code, stderr } of all) if (code !== 0) assert.match(stderr, /editing this image|no such file/);
  assert.ok(
    all.some(({ code }) => code === 0),
    all.map(({ stderr }) => stderr).join(""),
  );
  const now = await recovered(set);
  assert.ok(now === OLD || now === NEW);
});

test("killed while a new set is written: there is no such set, and no trace of it after the next try", async () => {
  const place = path.join(home, "place");
  const out = path.join(place, "out");
  fs.mkdirSync(place);
  let hits = 0;
  for (const files of [1, 200, 500]) {
    fs.rmSync(out, { recursive: true, force: true });
    const child = spawn(process.execPath, [CRIMG, "edit", original, ...ARGS, "-o", out], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const isFilled = (): boolean =>
      fs.readdirSync(place).some((name) => name.startsWith(".out") && count(path.join(place, name)) >= files);
    while (child.exitCode === null && !isFilled()) await sleep(0);
    child.kill("SIGKILL");
    await ended;
    if (!fs.existsSync(out)) hits++;
    else assert.is(digest(out), NEW);
  }
  assert.ok(hits > 0, "every run was done before the kill");
  fs.rmSync(out, { recursive: true, force: true });
  assert.is((await crimg(["edit", original, ...ARGS, "-o", out])).code, 0);
  assert.equal(fs.readdirSync(place), ["out"]);
  assert.is(digest(out), NEW);
});

test.run();
