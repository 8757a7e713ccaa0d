import * as assert from "uvu/assert";
import {
  changedTime,
  formatSeconds,
  parseDuration,
  parseTimeChange,
} from "../../../../src/ops/edit/duration.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("src/ops/edit/duration");

const DURATIONS: readonly [string, bigint][] = [
  ["30s", 30_000_000_000n],
  ["30", 30_000_000_000n],
  ["1.5s", 1_500_000_000n],
  ["250ms", 250_000_000n],
  ["10us", 10_000n],
  ["10µs", 10_000n],
  ["7ns", 7n],
  ["1h30m", 5_400_000_000_000n],
  ["2min", 120_000_000_000n],
  ["1d", 86_400_000_000_000n],
  ["0", 0n],
];
for (const [text, nanoseconds] of DURATIONS) {
  test(`${text} is ${nanoseconds} ns`, () => assert.is(parseDuration(text), nanoseconds));
}

for (const bad of ["", "s", "1x", "1h30", "-1s", "1 s", "1.2.3s", "0x10", "1e3"]) {
  test(`${JSON.stringify(bad)} is not a duration`, () => {
    assert.throws(() => parseDuration(bad), /invalid duration .*expected e\.g\. 30s/);
  });
}

test("what is left can be added to, set and scaled", () => {
  const left = 10_000_000_000n;
  const change = (text: string): bigint => changedTime(left, parseTimeChange(text));
  assert.is(change("+30s"), 40_000_000_000n);
  assert.is(change("-3s"), 7_000_000_000n);
  assert.is(change("-30s"), -20_000_000_000n);
  assert.is(change("5s"), 5_000_000_000n);
  assert.is(change("=5s"), 5_000_000_000n);
  assert.is(change("x2"), 20_000_000_000n);
  assert.is(change("x0.25"), 2_500_000_000n);
  assert.throws(() => parseTimeChange("xx"), /invalid factor xx/);
});

test("seconds are shown with the digits they have", () => {
  assert.is(formatSeconds(1_500_000_000n), "1.5 s");
  assert.is(formatSeconds(-1n), "-0.000000001 s");
  assert.is(formatSeconds(60_000_000_000n), "60 s");
});

test.run();
