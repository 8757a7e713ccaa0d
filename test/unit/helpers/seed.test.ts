import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../../helpers/suite.js";
import { ROOT } from "../../runner/jobs.js";

const test = suite("seeds");

/** `npm test` of a quick file as a person or CI starts it, or the values that a test file then has. */
function ran(args: readonly string[], env: Record<string, string>): { code: number | null; text: string } {
  const { CI: _ci, CRIMG_SEED: _seed, CRIMG_PROPERTY_RUNS: _runs, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", ...args], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...rest, ...env },
  });
  return { code: status, text: stdout + stderr };
}

const QUICK = "test/unit/runner/skips.test.ts";
const npmTest = (env: Record<string, string>) => ran([join(ROOT, "test/run.ts"), QUICK], env);
const values = (env: Record<string, string>) =>
  ran(
    [
      "-e",
      `import("${join(ROOT, "test/helpers/seed.ts")}").then(({ SEED, TIMES }) => console.log(SEED, TIMES))`,
    ],
    env,
  );

test("the seed is 1 and each case is tried once unless the environment says otherwise", () => {
  assert.is(values({}).text, "1 1\n");
  assert.is(values({ CRIMG_SEED: "339571062", CRIMG_PROPERTY_RUNS: "20" }).text, "339571062 20\n");
});

test("what is no whole number below 2^31 is told", () => {
  for (const wrong of ["", "-1", "1.5", "0x10", "2147483648", "seed"]) {
    const { code, text } = values({ CRIMG_SEED: wrong });
    assert.is.not(code, 0, wrong);
    assert.ok(text.includes(`invalid CRIMG_SEED "${wrong}"`), text);
  }
});

test("CI draws a seed, another one each time, and prints the command that has it again", () => {
  const drawn = [1, 2].map(() => {
    const { code, text } = npmTest({ CI: "true" });
    assert.is(code, 0, text);
    const found = /^seed (\d+); again: CRIMG_SEED=(\d+) npm test -- (\S+)$/m.exec(text);
    assert.equal([found?.[2], found?.[3]], [found?.[1], QUICK], text);
    return found?.[1];
  });
  assert.is.not(drawn[0], drawn[1]);
});

test("without CI nothing is drawn; a seed that was given is kept and told, in CI too", () => {
  assert.not.match(npmTest({}).text, /^seed /m);
  for (const env of [{ CRIMG_SEED: "7" }, { CRIMG_SEED: "7", CI: "true" }])
    assert.match(npmTest(env).text, /^seed 7; again: CRIMG_SEED=7 npm test -- test/m);
});

test.run();
