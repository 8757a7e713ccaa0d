import * as assert from "uvu/assert";
import { MAX_LOSSES } from "../../../src/io/limits.js";
import { Losses } from "../../../src/model/loss.js";
import { suite } from "../../helpers/suite.js";

const test = suite("model: losses of a conversion");

test("the same loss is told once", () => {
  const losses = new Losses();
  losses.add("task 1", "its name", "first");
  losses.add("task 1", "its name", "second");
  assert.equal(losses.list(), [{ object: "task 1", what: "its name", why: "second" }]);
});

test("of too many the rest is counted", () => {
  const losses = new Losses();
  for (let i = 0; i < MAX_LOSSES + 3; i++) losses.add(`task ${i}`, "its name", "no place");
  losses.add("task 0", "its name", "told before");
  const list = losses.list();
  assert.is(list.length, MAX_LOSSES + 1);
  assert.is(list[0]?.why, "told before");
  assert.equal(list.at(-1), { object: "the image", what: "3 more losses", why: `${MAX_LOSSES} are listed` });
});

test.run();
