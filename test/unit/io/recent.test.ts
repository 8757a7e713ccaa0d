import * as assert from "uvu/assert";
import { Recent } from "../../../src/io/recent.js";
import { suite } from "../../helpers/suite.js";

const test = suite("what was looked at last");

const MOST = 100;

/** A store that counts how often the value of a key is made. */
function counting(bytes: number) {
  const made = new Map<object, number>();
  const make = (key: object): number => {
    made.set(key, (made.get(key) ?? 0) + 1);
    return made.size;
  };
  return { made, recent: new Recent<object, number>(make, () => bytes, MOST) };
}

test("is made once while there is room", () => {
  const { made, recent } = counting(1);
  const keys = Array.from({ length: MOST / 2 }, () => ({}));
  for (let round = 0; round < 3; round++) for (const key of keys) recent.of(key);
  assert.ok([...made.values()].every((times) => times === 1));
});

test("is made again when much else was looked at meanwhile", () => {
  const { made, recent } = counting(10);
  const [first, ...others] = Array.from({ length: 30 }, () => ({}));
  recent.of(first as object);
  for (const key of others) recent.of(key);
  recent.of(first as object);
  assert.is(made.get(first as object), 2);
});

test("keeps a value that alone takes more than there is room for", () => {
  const { made, recent } = counting(MOST * 5);
  const key = {};
  assert.is(recent.of(key), recent.of(key));
  assert.is(made.get(key), 1);
});

test("counts what is told of a value later", () => {
  const { made, recent } = counting(0);
  const [first, second, third] = [{}, {}, {}];
  for (const key of [first, second, third]) {
    recent.of(key);
    recent.weigh(key, MOST);
  }
  recent.of(first);
  assert.is(made.get(first), 2);
});

test.run();
