import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.js";
import { campaign, faultText } from "./campaign.js";

/** CI tries other mutants each time; elsewhere a test that passed passes again. `npm run fuzz` is the long run. */
const SEED = process.env.CI === "true" ? String(Date.now()) : "1";
const MUTANTS = 400;
const SECONDS = 45;

const test = suite("mutants of all that crimg reads", undefined, 240);

test("each operation on each mutant ends in a value or an error of crimg, soon, in little memory", async () => {
  const { mutants, faults } = await campaign({ seed: SEED, mutants: MUTANTS, seconds: SECONDS });
  console.log(`seed ${SEED}: ${mutants} mutants`);
  assert.ok(mutants > 0);
  assert.is(faults.length, 0, faults.map((fault) => faultText(SEED, fault)).join("\n\n"));
});

test.run();
