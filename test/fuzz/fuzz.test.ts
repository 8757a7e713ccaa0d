import * as assert from "uvu/assert";
import { SEED } from "../helpers/seed.js";
import { suite } from "../helpers/suite.js";
import { campaign, faultText } from "./campaign.js";

/** The short run; `npm run fuzz` is the long one. */
const MUTANTS = 400;
const SECONDS = 30;

const test = suite("mutants of all that crimg reads", undefined, 240);

test("each operation on each mutant ends in a value or an error of crimg, soon, in little memory", async () => {
  const { mutants, faults } = await campaign({ seed: String(SEED), mutants: MUTANTS, seconds: SECONDS });
  console.log(`seed ${SEED}: ${mutants} mutants`);
  assert.ok(mutants > 0);
  assert.is(faults.length, 0, faults.map((fault) => faultText(String(SEED), fault)).join("\n\n"));
});

test("a worker that comes to its end has none", async () => {
  const { mutants, faults } = await campaign({ seed: "1", mutants: 8, operation: "find", seconds: SECONDS });
  assert.ok(mutants > 0);
  assert.equal(
    faults.map(({ what }) => what),
    [],
  );
});

test.run();
