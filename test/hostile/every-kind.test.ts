/**
 * Every kind of image, of open file and of record in large numbers, and every list and text of them filled, through every
 * command that only looks. The inputs come out of the tables of the formats, so that a new kind is tried as well.
 */
import * as assert from "uvu/assert";
import type { HostileInput } from "../helpers/bounds/build.js";
import { LOOKING_WAYS } from "../helpers/bounds/commands.js";
import { everyKind } from "../helpers/bounds/every-kind.js";
import { everyRecord, forgotten } from "../helpers/bounds/every-record.js";
import { type Cost, costLines, isBeyond, sweep } from "../helpers/bounds/sweep.js";
import { randomBy } from "../helpers/kills.js";
import { cleanUp } from "../helpers/live.js";
import { NIGHTLY, SEED } from "../helpers/seed.js";
import { suite } from "../helpers/suite.js";

/** By day those that the seed draws, as many as are through in time. */
const SECONDS = NIGHTLY ? Number.POSITIVE_INFINITY : 40;

const test = suite("hostile: every kind in large numbers", {}, NIGHTLY ? 4 * 3600 : 300);
test.after(cleanUp);

test("no kind of record is forgotten", () => {
  assert.equal(forgotten(), []);
});

test("each command stays within 256 MiB and 5 s", async () => {
  const end = performance.now() + SECONDS * 1000;
  const beyond: Cost[] = [];
  let count = 0;
  for (const input of drawn([...everyKind(), ...everyRecord()])) {
    if (performance.now() > end) break;
    beyond.push(...(await sweep(input, LOOKING_WAYS)).filter(isBeyond));
    count++;
  }
  process.stdout.write(`${count} inputs, seed ${SEED} `);
  assert.ok(count > 0);
  assert.equal(costLines(beyond), []);
});

function drawn(inputs: readonly HostileInput[]): HostileInput[] {
  const random = randomBy(SEED);
  return inputs
    .map((input) => ({ input, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ input }) => input);
}

test.run();
