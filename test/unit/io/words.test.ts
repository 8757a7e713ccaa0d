import * as assert from "uvu/assert";
import { isCrimgError } from "../../../src/io/errors.js";
import { type FixedWord, wordBytes } from "../../../src/io/words.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/words");

const EDGES: readonly [FixedWord, min: bigint, max: bigint, bytesOfMax: string][] = [
  ["u16", 0n, 0xffffn, "ffff"],
  ["be16", 0n, 0xffffn, "ffff"],
  ["u32", 0n, 2n ** 32n - 1n, "ffffffff"],
  ["s32", -(2n ** 31n), 2n ** 31n - 1n, "ffffff7f"],
  ["u64", 0n, 2n ** 64n - 1n, "ffffffffffffffff"],
  ["s64", -(2n ** 63n), 2n ** 63n - 1n, "ffffffffffffff7f"],
];

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isCrimgError(error) && error.code === "INVALID") return error.message;
    throw error;
  }
  return "";
}

for (const [word, min, max, hex] of EDGES)
  test(`${word} takes what fits and refuses the next number on both sides`, () => {
    assert.is(wordBytes(word, [max], "id").toString("hex"), hex);
    assert.is(wordBytes(word, [min, max], "id").length, hex.length);
    for (const beyond of [min - 1n, max + 1n])
      assert.is(
        refusal(() => wordBytes(word, [beyond], "id")),
        `invalid id ${beyond} (expected ${min} to ${max})`,
      );
  });

test("numbers stand one behind the other in little-endian order, ports in network order", () => {
  assert.is(wordBytes("u32", [1, 0x01020304], "id").toString("hex"), "0100000004030201");
  assert.is(wordBytes("s32", [-2], "id").toString("hex"), "feffffff");
  assert.is(wordBytes("be16", [80, 8080], "port").toString("hex"), "00501f90");
  assert.is(wordBytes("u64", [], "id").length, 0);
});

test("what is no whole number, or not exact, is refused", () => {
  for (const number of [1.5, Number.NaN, 2 ** 60, Number.POSITIVE_INFINITY])
    assert.match(
      refusal(() => wordBytes("u64", [number], "size")),
      /^invalid size .* \(expected 0 to/,
    );
});

test.run();
