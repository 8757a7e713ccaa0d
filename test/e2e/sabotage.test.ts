/**
 * crimg knows before it tries: checkpoints of real programs are restored after something was done to the host or to the
 * image, and what was said before is what comes of it. A yes is never wrong.
 */
import * as assert from "uvu/assert";
import { needCriu } from "../helpers/criu.js";
import { randomBy, shuffled } from "../helpers/kills.js";
import { cleanUp } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { SABOTAGES } from "../helpers/sabotage/sabotages.js";
import { SUBJECTS, subject } from "../helpers/sabotage/subjects.js";
import { type Trial, trial } from "../helpers/sabotage/trial.js";
import { NIGHTLY, SEED } from "../helpers/seed.js";
import { suite } from "../helpers/suite.js";

/** At night every pair of subject and sabotage, by day some. */
const SUBJECTS_TRIED = NIGHTLY ? SUBJECTS.length : 2;
/** `CRIMG_SUBJECTS="criu redis,slim tree"` tries these, `CRIMG_SABOTAGES="a pid taken"` those. */
const CHOSEN = process.env.CRIMG_SUBJECTS?.split(",");
const CHOSEN_SABOTAGES = process.env.CRIMG_SABOTAGES?.split(",");
/** An image can be damaged in many places, and a restorer lack many things. */
const TIMES_EACH = NIGHTLY ? 3 : 1;
const HAS_KINDS = /image|capability|limits/;

/** The slim backend would restore over another file than the one of the checkpoint; crimg refuses that on purpose. */
const FILES_CHECKED = /^(FILE_(TYPE|MODE|SIZE|BUILD_ID|REPLACED)|,)+$/;

/** A damaged image is refused, also where the damage is in what a restore does not need. */
const DAMAGED = /: an image file (gone|cut)|: a bit of the image/;

/** By day always the same trials: what a night finds is mended before days draw anew. */
const ORDER = NIGHTLY ? SEED : 1;
const random = randomBy(ORDER);
const test = suite("crimg knows before it tries", {}, 7200);
test.before(() => {
  needCriu();
  needs("setpriv");
});
test.after(cleanUp);

test(`seed ${ORDER}: the verdict is the outcome`, async () => {
  const trials: Trial[] = [];
  for (const which of CHOSEN ?? shuffled(SUBJECTS, random).slice(0, SUBJECTS_TRIED)) {
    const made = await subject(which);
    for (const [name, sabotage] of Object.entries(SABOTAGES)) {
      if (CHOSEN_SABOTAGES?.includes(name) === false) continue;
      for (let time = 0; time < (HAS_KINDS.test(name) ? TIMES_EACH : 1); time++) {
        const tried = await trial(made, name, sabotage, random);
        if (tried !== undefined) trials.push(tried);
      }
    }
  }
  const falseYes = trials.filter(({ saysYes, isUnsure, restored }) => saysYes && !isUnsure && !restored);
  const falseNo = trials.filter(
    ({ what, saysYes, because, restored }) =>
      !saysYes && restored && !FILES_CHECKED.test(because) && !DAMAGED.test(what),
  );
  console.log(`${trials.length} trials, ${falseYes.length} false yes, ${falseNo.length} false no`);
  for (const { what, because } of falseNo) console.log(`false no: ${what}: ${because}`);
  assert.equal(
    falseYes.map(({ what, problem }) => `${what}: ${problem}`),
    [],
  );
  assert.ok(falseNo.length * 100 <= trials.length, `${falseNo.length} false no of ${trials.length}`);
});

test.run();
