import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { equalValues } from "../../../src/schema/equal.js";
import { holds } from "../../helpers/property.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/schema/equal");

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.nat(3),
    fc.bigInt(0n, 3n),
    fc.boolean(),
    fc.constantFrom("", "a"),
    fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("any"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any;

test("values are equal when Node finds them so", () => {
  holds(
    fc.property(value, value, (a, b) => {
      assert.is(equalValues(a, b), isDeepStrictEqual(a, b));
      assert.ok(equalValues(a, structuredCopy(a)));
    }),
    { numRuns: 2000 },
  );
});

test("an absent field is one that is undefined", () => {
  assert.ok(equalValues({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(equalValues({ a: 1 }, { a: 1, b: undefined }));
  assert.not.ok(equalValues({ a: 1 }, { a: 1, b: 0 }));
});

function structuredCopy(item: unknown): unknown {
  if (Buffer.isBuffer(item)) return Buffer.from(item);
  if (Array.isArray(item)) return item.map(structuredCopy);
  if (typeof item !== "object" || item === null) return item;
  return Object.fromEntries(Object.entries(item).map(([key, each]) => [key, structuredCopy(each)]));
}

test.run();
