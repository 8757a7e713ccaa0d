/** The slim backend plans, refuses before it does anything, and reads back what it made before a task runs. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../src/formats/linux-cr/image.js";
import type { RecordKind } from "../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import { editSplices } from "../../src/formats/linux-cr/write.js";
import { FileSource } from "../../src/io/source.js";
import { SplicedSource } from "../../src/io/splice.js";
import { CRIMG, crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  gone,
  locksOf,
  progress,
  startProgram,
  statOf,
} from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { checkpointed, needsSlim } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("slim plan, refusals, verification", {}, 90);
const dir = freshDirectory("slim-plan");

slim.before(needsSlim);
slim.after(cleanUp);

/** A program that ran, as an image, and its log. */
async function imageOf(
  name: string,
  as = name,
): Promise<{ image: string; pid: number; log: string; locks: string[] }> {
  const work = join(dir, as);
  mkdirSync(work);
  const live = await startProgram(name, work);
  await goesOn(live.log, 2);
  const locks = locksOf(live.pid);
  const image = join(dir, `${as}.ckpt`);
  await checkpointed(live, image);
  await gone(live.pid);
  return { image, pid: live.pid, log: live.log, locks };
}

/** Changes a field of the first record of a kind, in place. */
function tamper(
  image: string,
  kind: RecordKind,
  change: (value: Record<string, unknown>) => Record<string, unknown>,
): string {
  const source = new FileSource(image);
  const stream = new LinuxCrImage(source);
  const index = Array.from({ length: stream.length }, (_, i) => i).find(
    (i) => stream.kind(i) === kind,
  ) as number;
  const fields = change(stream.fields(index));
  const edited = new SplicedSource(source, editSplices(stream, new Map([[index, { fields }]])));
  const to = image.replace(/\.ckpt$/, ".tampered.ckpt");
  writeFileSync(to, edited.read(0, edited.size));
  source.close();
  return to;
}

/** Crimg without some capabilities. */
function without(
  capabilities: readonly string[],
  args: readonly string[],
): { code: number | null; said: string } {
  const drop = capabilities.map((name) => `-${name}`).join(",");
  needs("setpriv");
  const { status, stdout, stderr } = spawnSync(
    "setpriv",
    ["--bounding-set", drop, "--inh-caps", drop, process.execPath, CRIMG, ...args],
    { encoding: "utf8", timeout: 60_000 },
  );
  return { code: status, said: stdout + stderr };
}

slim("--dry-run tells every step, and does none", async () => {
  const { image, pid } = await imageOf("logger", "dry");
  const { code, stdout, stderr } = await crimg(["restore", image, "--backend", "slim", "--dry-run"]);
  assert.is(code, 0, stdout + stderr);
  for (const step of [`make task ${pid}`, "map 0x", "take descriptor", "let it run"])
    assert.ok(stdout.includes(step), step);
  assert.is(statOf(pid), undefined);
});

slim("sessions and groups are as they were, also where their leaders had ended", async () => {
  const work = join(dir, "tree");
  mkdirSync(work);
  const live = await startProgram("tree", work);
  await goesOn(live.log, 3);
  const image = join(dir, "tree.ckpt");
  const before = idsBelow(live.pid);
  assert.ok(before.length > 5);
  await checkpointed(live, image);
  await gone(live.pid);
  const { code, stdout, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(code, 0, stdout + stderr);
  assert.equal(idsBelow(live.pid), before);
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
});

slim("what is refused is refused before anything is made", async () => {
  const { image, pid, log } = await imageOf("logger", "refused");
  const tampered = tamper(image, RECORDS.CPU, () => ({ cs: 1 }));
  const lines = readFileSync(log, "utf8");
  const { code, stdout, stderr } = await crimg([
    "restore",
    tampered,
    "--backend",
    "slim",
    "--detach",
    "--force",
  ]);
  assert.is(code, 1, stdout + stderr);
  assert.match(stdout + stderr, new RegExp(`thread ${pid} of task ${pid} runs 32-bit code`));
  assert.is(statOf(pid), undefined);
  assert.is(readFileSync(log, "utf8"), lines);
});

slim("what came back differently is told, and nothing that was made stays", async () => {
  const { image, pid, log, locks } = await imageOf("logger", "tampered");
  // No task can have the privilege level of input and output, bits 12 and 13: the kernel leaves them out.
  const tampered = tamper(image, RECORDS.CPU, ({ flags }) => ({ flags: (flags as bigint) | 0x3000n }));
  const lines = readFileSync(log, "utf8");
  const { code, stdout, stderr } = await crimg([
    "restore",
    tampered,
    "--backend",
    "slim",
    "--detach",
    "--force",
  ]);
  assert.is(code, 1, stdout + stderr);
  const said = stdout + stderr;
  assert.match(
    said,
    new RegExp(`task ${pid}: register eflags of thread ${pid}: expected 0x3[0-9a-f]+, found 0x[0-9a-f]+`),
  );
  assert.is(statOf(pid), undefined);
  assert.is(readFileSync(log, "utf8"), lines);
  // The same image, untouched, restores.
  const again = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(again.code, 0, again.stdout + again.stderr);
  assert.equal(locksOf(pid), locks);
  await goesOn(log, 3);
});

slim("a missing capability is named before anything is made", async () => {
  const { image, pid } = await imageOf("logger", "capabilities");
  const args = ["restore", image, "--backend", "slim", "--detach", "--force"];
  const ids = without(["sys_admin", "checkpoint_restore"], args);
  assert.ok(ids.code !== 0, ids.said);
  assert.match(ids.said, /CAP_CHECKPOINT_RESTORE/);
  const owner = without(["chown"], args);
  assert.ok(owner.code !== 0, owner.said);
  assert.match(
    owner.said,
    new RegExp(`crimg lacks the capability CAP_CHOWN, which task ${pid} needs to restore it`),
  );
  assert.is(statOf(pid), undefined);
  assert.ok(existsSync(image));
});

/** Id, parent, group and session of a task and all below it; the parent of the first is whoever started it. */
function idsBelow(root: number): string[] {
  needs("ps");
  const { stdout } = spawnSync("ps", ["-e", "-o", "pid=,ppid=,pgid=,sid="], { encoding: "utf8" });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = new Set([root]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const [pid = 0, ppid = 0] of rows) if (below.has(ppid)) below.add(pid);
  }
  return rows
    .filter(([pid = 0]) => below.has(pid))
    .map(([pid, ppid, pgid, sid]) => `${pid} ${pid === root ? "" : ppid} ${pgid} ${sid}`)
    .sort();
}

slim.run();
