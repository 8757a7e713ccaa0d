import * as assert from "uvu/assert";
import { boundedTest } from "../../../src/io/bounded-regexp.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/bounded-regexp");

test("matches as the expression does", () => {
  const matches = boundedTest(/LOGGER$/i);
  assert.ok(matches("/var/lib/crimg-demo/logger"));
  assert.ok(matches("logger"));
  assert.not.ok(matches("/var/lib/crimg-demo/logger/data"));
});

test("one that tries every way ends with a sentence, and all later ones with it at once", () => {
  const matches = boundedTest(/(a+)+$/);
  const start = performance.now();
  for (let i = 0; i < 3; i++)
    assert.throws(() => matches(`${"a".repeat(60)}b`), /too slow \(on a text of 61 characters/);
  assert.ok(performance.now() - start < 15_000);
});

test.run();
