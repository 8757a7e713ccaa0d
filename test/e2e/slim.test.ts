/** The slim backend: a program is written down and ended, comes back under its id, and goes on. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  locksOf,
  progress,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { needsSlim } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("slim engine", {}, 60);
const dir = freshDirectory("slim");

slim.before(() => {
  needsSlim();
});
slim.after(cleanUp);

for (const name of ["logger", "counter"])
  slim(`${name} comes back and goes on`, async () => {
    const work = join(dir, name);
    mkdirSync(work);
    const live = await startProgram(name, work);
    await goesOn(live.log, 2);
    const image = join(dir, `${name}.ckpt`);
    const locks = locksOf(live.pid);
    const written = await crimg(["checkpoint", String(live.pid), "-o", image]);
    assert.is(written.code, 0, written.stdout + written.stderr);
    await until("the end of the program", () => (statOf(live.pid)?.state ?? "Z") === "Z");
    const check = await crimg(["validate", image, "--root", "/"]);
    assert.is(check.code, 0, check.stdout);
    const { ticks } = progress(live.log);
    const restored = await crimg(["restore", image, "--backend", "slim", "--detach"]);
    assert.is(restored.code, 0, restored.stdout + restored.stderr);
    await goesOn(live.log, 5);
    const now = progress(live.log);
    assert.ok(now.ticks > ticks);
    assert.equal(now.failures, []);
    assert.equal(locksOf(live.pid), locks);
  });

slim("a tree that cannot be saved is refused, object by object, and runs on", async () => {
  const work = join(dir, "refused");
  mkdirSync(work);
  const live = await startProgram("endpoints", work);
  await goesOn(live.log, 2);
  const image = join(dir, "refused.ckpt");
  const { code, stderr } = await crimg(["checkpoint", String(live.pid), "-o", image]);
  assert.is(code, 1, stderr);
  assert.match(stderr, /^task \d+ is in another IPC namespace than crimg$/m);
  assert.match(stderr, /^task \d+ is in another UTS namespace than crimg$/m);
  assert.not(existsSync(image));
  await goesOn(live.log, 3);
});

slim("--leave-running: the program does not notice", async () => {
  const work = join(dir, "left");
  mkdirSync(work);
  const live = await startProgram("logger", work);
  await goesOn(live.log, 2);
  const { code, stderr } = await crimg(["checkpoint", String(live.pid), "-R", "-o", join(dir, "left.ckpt")]);
  assert.is(code, 0, stderr);
  await goesOn(live.log, 5);
  assert.equal(progress(live.log).failures, []);
  assert.is(spawnSync("test", ["-s", join(dir, "left.ckpt")]).status, 0);
});

slim.run();
