import * as assert from "uvu/assert";
import { isCrimgError } from "../../../src/io/errors.js";
import { bytes, inner, inners, struct, text, word, words } from "../../../src/schema/struct.js";
import { readStruct } from "../../../src/schema/struct-reader.js";
import { writeStruct } from "../../../src/schema/struct-writer.js";
import { suite } from "../../helpers/suite.js";

const test = suite("schema: C structures");

const INNER = struct("inner", 4, "", { x: word("u16", 0), y: word("s8", 3) });
const OUTER = struct("outer", 64, "", {
  a: word("u32", 0),
  b: word("u64", 8),
  list: words("s32", 16, 2),
  name: text(24, 8),
  one: inner(INNER, 32),
  two: inners(INNER, 36, 2),
  net: word("be32", 44),
  low: word("le16", 48),
  raw: bytes(50, 3),
  s: word("s64", 56),
});

/** No byte is zero but one inside the text, so every mistake of place or order shows. */
const SAMPLE = Buffer.from(Array.from({ length: 64 }, (_, i) => (i === 27 ? 0 : 0x80 + i)));

for (const byteOrder of ["little-endian", "big-endian"] as const)
  test(`${byteOrder}: what is read is written back, padding and the tail of a text included`, () => {
    const value = readStruct(OUTER, SAMPLE, byteOrder);
    assert.equal(writeStruct(OUTER, value, byteOrder, SAMPLE), SAMPLE);
  });

test("fields have their byte order, sign and width", () => {
  const little = readStruct(OUTER, SAMPLE, "little-endian");
  assert.is(little.a, 0x83828180);
  assert.is(little.b, 0x8f8e8d8c8b8a8988n);
  assert.equal(little.list, [SAMPLE.readInt32LE(16), SAMPLE.readInt32LE(20)]);
  assert.is(little.name, "\udc98\udc99\udc9a");
  assert.equal(little.one, { x: 0xa1a0, y: 0xa3 - 256 });
  assert.is(little.net, 0xacadaeaf);
  assert.is(little.low, 0xb1b0);
  assert.is(little.s, SAMPLE.readBigInt64LE(56));
  const big = readStruct(OUTER, SAMPLE, "big-endian");
  assert.is(big.a, 0x80818283);
  assert.is(big.net, little.net);
  assert.is(big.low, little.low);
});

test("trailing padding of an inner structure belongs to it", () => {
  const short = struct("short", 8, "", { x: word("u16", 0) });
  const table = struct("padded", 28, "", {
    list: inners(short, 0, 2),
    one: inner(short, 16),
    z: word("u8", 24),
  });
  const value = readStruct(table, SAMPLE, "little-endian");
  assert.equal(value, { list: [{ x: 0x8180 }, { x: 0x8988 }], one: { x: 0x9190 }, z: 0x98 });
});

test("a changed field changes its own bytes alone", () => {
  const value = readStruct(OUTER, SAMPLE, "big-endian");
  const out = writeStruct(OUTER, { ...value, b: 0xffff_ffff_ffff_fffen }, "big-endian", SAMPLE);
  assert.is(out.readBigUInt64BE(8), 0xffff_ffff_ffff_fffen);
  assert.equal(out.subarray(0, 8), SAMPLE.subarray(0, 8));
  assert.equal(out.subarray(16), SAMPLE.subarray(16));
});

test("values that do not fit are refused by name", () => {
  const value = readStruct(OUTER, SAMPLE, "little-endian");
  const refused = (change: Partial<typeof value>, path: string): void => {
    try {
      writeStruct(OUTER, { ...value, ...change }, "little-endian");
    } catch (error) {
      assert.ok(isCrimgError(error) && error.path === path, `${String(error)} names ${path}`);
      return;
    }
    assert.unreachable(`${path} was accepted`);
  };
  refused({ a: 2 ** 32 }, "outer.a");
  refused({ a: 1.5 }, "outer.a");
  refused({ b: -1n }, "outer.b");
  refused({ list: [1] }, "outer.list");
  refused({ list: [0, 2 ** 31] }, "outer.list[1]");
  refused({ name: "123456789" }, "outer.name");
  refused({ raw: Buffer.alloc(2) }, "outer.raw");
});

test("too few bytes are an error, not a short value", () => {
  assert.throws(
    () => readStruct(OUTER, SAMPLE.subarray(0, 63), "little-endian"),
    /found 63 bytes of outer \(expected 64\)/,
  );
});

test("a table whose fields overlap or stick out is refused", () => {
  assert.throws(() => struct("bad", 8, "", { a: word("u32", 0), b: word("u32", 2) }), /overlaps/);
  assert.throws(() => struct("bad", 4, "", { a: word("u64", 0) }), /size is 4/);
});

test.run();
