import * as assert from "uvu/assert";
import { stillLeft } from "../../../../src/backends/slim/sys/time.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("what is left of times");

test("what a restart has used is taken off, and what is over falls due at once", () => {
  assert.is(stillLeft(5_000n, 0n), 5_000n);
  assert.is(stillLeft(5_000n, 2_000n), 3_000n);
  assert.is(stillLeft(5_000n, 5_000n), 1n);
  assert.is(stillLeft(5_000n, 9_000n), 1n);
});

test("a timer that is not armed stays so", () => {
  assert.is(stillLeft(0n, 9_000n), 0n);
});

test.run();
