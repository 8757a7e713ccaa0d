/** Memory of all kinds, through the slim backend. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory, goesOn, progress, startProgram } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { checkpointed, needsSlim, restored, survives } from "../helpers/slim.js";
import { skip, suite } from "../helpers/suite.js";

const slim = suite("memory through slim", {}, 120);
const dir = freshDirectory("slim-memory");

slim.before(needsSlim);
slim.after(cleanUp);

slim("memory of every kind comes back, and stays shared with whom it was shared", async () => {
  needs("gcc", "libc6-dev");
  const work = join(dir, "memory");
  mkdirSync(work);
  try {
    await survives("memory", work, 2);
  } finally {
    const [, segment] = /^segment (\d+)$/m.exec(readFileSync(join(work, "log"), "utf8")) ?? [];
    if (segment !== undefined) spawnSync("ipcrm", ["-m", segment]);
  }
});

slim("more memory than is read in one piece comes back word for word, by two threads", async () => {
  const work = join(dir, "large");
  mkdirSync(work);
  await survives("large", work, 2);
});

slim(
  "guard pages come back where they were: in memory of every kind and below the stacks of threads",
  async () => {
    needsGuardPages();
    const work = join(dir, "guards");
    mkdirSync(work);
    await survives("guards", work, 2);
  },
);

slim("guard pages are kept by a conversion to a criu set and back", async () => {
  needsGuardPages();
  const work = join(dir, "converted");
  mkdirSync(work);
  const live = await startProgram("guards", work);
  await goesOn(live.log, 3);
  const [image, set, again] = ["one.ckpt", "two.criu", "three.ckpt"].map((name) => join(dir, name));
  await checkpointed(live, image as string);
  for (const [from, to] of [
    [image, set],
    [set, again],
  ] as const) {
    const { code, stdout, stderr } = await crimg(["convert", from as string, to as string, "--lossy"]);
    assert.is(code, 0, stdout + stderr);
    assert.not.match(stdout + stderr, /guard/);
  }
  const guardsOf = async (path: string | undefined): Promise<string[]> => {
    const { stdout } = await crimg(["show", path as string, "maps"]);
    return stdout.split("\n").filter((line) => line.includes("[guard]"));
  };
  const guards = await guardsOf(image);
  assert.ok(guards.length >= 8, guards.join("\n"));
  assert.equal(await guardsOf(set), guards);
  assert.equal(await guardsOf(again), guards);
  await restored(again as string);
  await goesOn(live.log, 6);
  assert.equal(progress(live.log).failures, []);
});

slim("a checkpoint leaves pages shared that tasks share copy-on-write", async () => {
  needs("gcc", "libc6-dev");
  const work = join(dir, "forked");
  mkdirSync(work);
  const live = await startProgram("forked", work);
  await goesOn(live.log, 3);
  const children = [...readFileSync(live.log, "utf8").matchAll(/^child (\d+)$/gm)].map(([, pid]) =>
    Number(pid),
  );
  assert.is(children.length, 3);
  const before = sharedOut([live.pid, ...children]);
  const { code, stdout, stderr } = await crimg([
    ...["checkpoint", String(live.pid), "--leave-running", "-o", join(dir, "forked.ckpt")],
  ]);
  assert.is(code, 0, stdout + stderr);
  const after = sharedOut([live.pid, ...children]);
  assert.ok(after < before + 2048, `${before} KiB before, ${after} KiB after`);
  await goesOn(live.log, 3);
  assert.equal(progress(live.log).failures, []);
});

/** KiB that processes use, each page once however many have it: the sum of Pss of proc_pid_smaps(5). */
function sharedOut(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [, kib] = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
    return sum + Number(kib);
  }, 0);
}

/** MADV_GUARD_INSTALL of madvise(2). */
function needsGuardPages(): void {
  needs("gcc", "libc6-dev");
  const [major = 0, minor = 0] = release().split(".").map(Number.parseFloat);
  if (major * 1000 + minor < 6013) skip(`Linux ${release()} has no guard pages; they came with 6.13`);
}

slim.run();
