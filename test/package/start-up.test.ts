import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";
import { CRIMG } from "../helpers/cli.js";
import { suite } from "../helpers/suite.js";

const RUNS = 15;
const test = suite("start-up");

/** Shortest time of each command line, in ms; taken in turns, so that other load meets all of them. */
function shortest(commands: readonly (readonly string[])[]): number[] {
  const best = commands.map(() => Number.POSITIVE_INFINITY);
  for (let run = 0; run < RUNS; run++)
    for (const [at, args] of commands.entries()) {
      const start = performance.now();
      const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
      best[at] = Math.min(best[at] as number, performance.now() - start);
      assert.is(status, 0);
    }
  return best;
}

test("--version takes at most 1.5 times a bare node, a light command twice", () => {
  const [bare, version, light] = shortest([
    ["-e", "0"],
    [CRIMG, "--version"],
    [CRIMG, "completion", "bash"],
  ]) as [number, number, number];
  assert.ok(version <= bare * 1.5, `--version: ${version.toFixed(0)} ms, bare node: ${bare.toFixed(0)} ms`);
  assert.ok(light <= bare * 2, `completion: ${light.toFixed(0)} ms, bare node: ${bare.toFixed(0)} ms`);
});

test.run();
