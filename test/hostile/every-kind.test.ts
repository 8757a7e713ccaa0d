/**
 * Every kind of image, of open file and of record in large numbers, and every list and text of them filled, through every
 * command that reads images. The inputs come out of the tables of the formats, so that a new kind is tried as well.
 */
import { readdirSync } from "node:fs";
import { parse } from "node:path";
import * as assert from "uvu/assert";
import { ALL_WAYS, WITHOUT_IMAGE } from "../helpers/bounds/commands.js";
import { everyKind } from "../helpers/bounds/every-kind.js";
import { everyRecord, forgotten } from "../helpers/bounds/every-record.js";
import { type Cost, costLines, isBeyond, sweep } from "../helpers/bounds/sweep.js";
import { randomBy, shuffled } from "../helpers/kills.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { NIGHTLY, SEED } from "../helpers/seed.js";
import { suite } from "../helpers/suite.js";

/** By day always the same one, at night all: what a night finds is mended before days draw inputs anew. */
const INPUTS = NIGHTLY ? Number.POSITIVE_INFINITY : 1;
const WAYS = NIGHTLY ? Number.POSITIVE_INFINITY : 40;
const ORDER = NIGHTLY ? SEED : 1;

const test = suite("hostile: every kind in large numbers", {}, NIGHTLY ? 4 * 3600 : 300);
test.after(cleanUp);

test("no kind of record is forgotten", () => {
  assert.equal(forgotten(), []);
});

test("no command is forgotten", () => {
  const swept = new Set(ALL_WAYS.map(({ args }) => args("/none", freshDirectory("scratch"))[0]));
  const all = readdirSync(new URL("../../commands", import.meta.url)).map((name) => parse(name).name);
  assert.equal(
    all.filter((name) => !swept.has(name) && !WITHOUT_IMAGE.has(name)),
    [],
  );
});

test("each command stays within 256 MiB and 5 s", async () => {
  const beyond: Cost[] = [];
  let count = 0;
  for (const input of drawn([...everyKind(), ...everyRecord()]).slice(0, INPUTS)) {
    beyond.push(...(await sweep(input, drawn(ALL_WAYS).slice(0, WAYS))).filter(isBeyond));
    count++;
  }
  process.stdout.write(`${count} inputs, seed ${ORDER} `);
  assert.ok(count > 0);
  assert.equal(costLines(beyond), []);
});

function drawn<T>(all: readonly T[]): T[] {
  return shuffled(all, randomBy(ORDER));
}

test.run();
