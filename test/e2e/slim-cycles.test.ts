/**
 * One process with everything in it is written down, ended and brought back, again and again, at random instants. Its
 * counter has no gap, and the sequence of floating point numbers that it computes has every bit that it has here.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { randomBy } from "../helpers/kills.js";
import { cleanUp, freshDirectory, goesOn, progress, startProgram } from "../helpers/live.js";
import { SEED } from "../helpers/seed.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const CYCLES = Number(process.env.CRIMG_CYCLES ?? 50);
const LONGEST_RUN_MS = 120;
/** As in everything.c. */
const STEPS = 1000;
const FIRST = 0.3;

const cycles = suite("cycles of the slim engine", {}, 1800);
const dir = freshDirectory("cycles");

cycles.before(needsSlim);
cycles.after(cleanUp);

cycles(`${CYCLES} times checkpoint, end, restore in a chain`, async () => {
  const work = join(dir, "work");
  const image = join(dir, "image.ckpt");
  mkdirSync(work);
  const random = randomBy(SEED);
  const live = await startProgram("everything", work);
  let run = 0;
  let failed = 0;
  try {
    for (; run < CYCLES; run++) {
      await sleep(random() * LONGEST_RUN_MS);
      await checkpointed(live, image);
      const { ticks } = progress(live.log);
      await restored(image);
      await goesOn(live.log, 1);
      const now = progress(live.log);
      assert.ok(now.ticks > ticks);
      assert.equal(now.failures, [], `after cycle ${run + 1}`);
      rmSync(image);
    }
  } catch (error) {
    failed = 1;
    throw error;
  } finally {
    process.stdout.write(`\n  seed ${SEED}: ${run + failed} cycles run, ${failed} failed\n`);
  }
  await goesOn(live.log, 5);
  const lines = readFileSync(live.log, "utf8").split("\n").slice(0, -1);
  assert.is(lines[0], "ready");
  for (const [i, line] of lines.slice(1).entries()) assert.is(line, `tick ${i + 1} ok`);
  assertSameNumbers(join(work, "state"));
});

/** struct { long ticks; double x; } as the program writes it in each tick. */
function assertSameNumbers(path: string): void {
  const state = readFileSync(path);
  const ticks = Number(state.readBigInt64LE(0));
  let x = FIRST;
  for (let step = 0; step < ticks * STEPS; step++) x = 3.9 * x * (1 - x);
  const bits = Buffer.alloc(8);
  bits.writeDoubleLE(x);
  assert.equal(state.subarray(8, 16), bits, `the number after ${ticks} ticks`);
}

cycles.run();
