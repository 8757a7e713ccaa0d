import * as assert from "uvu/assert";
import { writeJson } from "../../../src/cli/json.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/json");

function jsonOf(value: unknown): string {
  let text = "";
  writeJson(value, (chunk) => {
    text += chunk;
  });
  return text;
}

test("a bigint up to 2^53-1 is a number, above a decimal string", () => {
  const value = { a: 2n ** 53n - 1n, b: 2n ** 53n, c: -(2n ** 53n), d: 0n, e: 2n ** 64n - 1n };
  assert.equal(JSON.parse(jsonOf(value)), {
    a: 9007199254740991,
    b: "9007199254740992",
    c: "-9007199254740992",
    d: 0,
    e: "18446744073709551615",
  });
});

test("bytes are base64, also when they are a part of a larger buffer", () => {
  const bytes = Buffer.from("xhellox").subarray(1, 6);
  assert.equal(JSON.parse(jsonOf({ bytes, same: new Uint8Array(bytes) })), {
    bytes: "aGVsbG8=",
    same: "aGVsbG8=",
  });
});

test("undefined is left out of objects, iterables are arrays, maps are objects", () => {
  function* items() {
    yield 1;
    yield undefined;
    yield { x: undefined, y: null };
  }
  const value = { none: undefined, items: items(), set: new Set(["a"]), map: new Map([["k", 1n]]) };
  assert.equal(JSON.parse(jsonOf(value)), { items: [1, null, { y: null }], set: ["a"], map: { k: 1 } });
});

test("plain values come out as JSON.stringify writes them", () => {
  const value = {
    s: 'q"\\\n',
    n: [1.5, -0, 1e300],
    e: {},
    a: [],
    t: true,
    z: null,
    deep: [[{ a: [] }]],
  };
  assert.is(jsonOf(value), `${JSON.stringify(value, null, 2)}\n`);
});

test("text for bytes that are not UTF-8 survives a round trip", () => {
  const text = "caf\udce9";
  assert.ok(jsonOf(text).includes("\\udce9"));
  assert.is(JSON.parse(jsonOf(text)), text);
});

test("a long answer comes in chunks while it is made", () => {
  let chunks = 0;
  let seenAtFirst = 0;
  function* items() {
    for (let at = 0; at < 100_000; at++) {
      if (chunks === 1 && seenAtFirst === 0) seenAtFirst = at;
      yield { at };
    }
  }
  writeJson({ items: items() }, (chunk) => {
    chunks++;
    assert.ok(chunk.length < 70_000);
  });
  assert.ok(chunks > 10);
  assert.ok(seenAtFirst > 0 && seenAtFirst < 10_000);
});

test.run();
