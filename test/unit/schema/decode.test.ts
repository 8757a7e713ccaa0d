import * as assert from "uvu/assert";
import { isCrimgError } from "../../../src/io/errors.js";
import { isCanonical } from "../../../src/schema/canonical.js";
import { decodeMessage } from "../../../src/schema/decode.js";
import { encodeMessage } from "../../../src/schema/encode.js";
import type { AnyValue } from "../../../src/schema/message.js";
import { INNER, SAMPLE } from "../../helpers/sample-tables.js";
import { suite } from "../../helpers/suite.js";

const test = suite("schema: decode and encode");

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const decode = (hex: string) => decodeMessage(SAMPLE, bytesOf(hex)) as AnyValue;

/** The present fields, without the empty lists that every message has. */
function present(hex: string): object {
  return Object.fromEntries(
    Object.entries(decode(hex)).filter(([, value]) => !Array.isArray(value) || value.length > 0),
  );
}

function refusal(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (isCrimgError(error)) return error;
    throw error;
  }
  return assert.unreachable("it was accepted") as never;
}

test("each scalar type has its own number range and type", () => {
  assert.equal(present("08 ff ff ff ff 0f"), { u32: 4294967295 });
  assert.equal(present("10 ff ff ff ff ff ff ff ff ff 01"), { u64: 2n ** 64n - 1n });
  assert.equal(present("18 ff ff ff ff ff ff ff ff ff 01"), { i32: -1 });
  assert.equal(present("20 80 80 80 80 80 80 80 80 80 01"), { i64: -(2n ** 63n) });
  assert.equal(present("28 03"), { s32: -2 });
  assert.equal(present("30 03"), { s64: -2n });
  assert.equal(present("39 01 00 00 00 00 00 00 80"), { f64: 2n ** 63n + 1n });
  assert.equal(present("40 01"), { flag: true });
  assert.equal(present("4a 03 61 ff 62"), { text: "a\udcffb" });
  assert.equal(present("52 02 00 ff"), { data: Buffer.from([0, 255]) });
  assert.equal(present("58 05"), { color: 5 });
});

test("a closed enum keeps a value that it does not know", () => {
  assert.equal(present("58 63"), { color: 99 });
  assert.ok(isCanonical(SAMPLE, decode("58 63"), bytesOf("58 63")));
});

test("an absent optional field is absent, an absent list is empty", () => {
  const value = decode("");
  assert.is(value.u32, undefined);
  assert.equal(value.many, []);
});

test("of a singular field that occurs twice the last one counts", () => {
  assert.equal(present("08 01 08 02"), { u32: 2 });
});

test("a singular message that occurs twice is merged", () => {
  assert.equal(decode("62 05 08 01 1a 01 61 62 08 08 02 12 01 62 1a 01 63").one, {
    id: 2,
    name: "b",
    notes: ["a", "c"],
  });
});

test("a singular message that occurs 250,000 times is merged at once, and shared with no other", () => {
  const one = bytesOf("62 05 08 01 1a 01 61");
  const before = decodeMessage(SAMPLE, one) as AnyValue;
  const started = process.cpuUsage();
  const many = decodeMessage(SAMPLE, Buffer.concat(Array.from({ length: 250_000 }, () => one))) as AnyValue;
  const { user } = process.cpuUsage(started);
  assert.is((many.one as { notes: unknown[] }).notes.length, 250_000);
  assert.equal(before.one, { id: 1, notes: ["a"] });
  assert.equal((decodeMessage(SAMPLE, one) as AnyValue).one, { id: 1, notes: ["a"] });
  assert.ok(user < 4e6, `${user / 1e6} s`);
});

test("a message with the bytes of the one before in its field has the same values, at the end of a record too", () => {
  const first = decode("08 01 62 02 08 07");
  assert.equal(decode("08 02 62 02 08 07").one, { id: 7, notes: [] });
  assert.equal(decode("62 02 08 08 08 03").one, { id: 8, notes: [] });
  assert.equal(first.one, { id: 7, notes: [] });
  const cut = refusal(() => decode("62 02 08"));
  assert.is(cut.code, "TRUNCATED");
});

test("a list may be packed, unpacked or both", () => {
  assert.equal(present("70 01 72 02 02 03 70 04"), { numbers: [1, 2, 3, 4] });
});

test("unknown fields and wrong wire types are kept in the order of the bytes", () => {
  assert.equal(decode("0a 01 78 f8 06 2a 09 01 00 00 00 00 00 00 00 fd 06 01 02 03 04")._unknown, [
    { number: 1, wireType: 2, data: bytesOf("78") },
    { number: 111, wireType: 0, data: bytesOf("2a") },
    { number: 1, wireType: 1, data: bytesOf("01 00 00 00 00 00 00 00") },
    { number: 111, wireType: 5, data: bytesOf("01 02 03 04") },
  ]);
});

test("a missing required field is named, with the message and the offset", () => {
  const error = refusal(() =>
    decodeMessage(SAMPLE, bytesOf("08 01 6a 02 08 07 6a 03 12 01 61"), {
      file: "x.img",
      offset: 100,
      path: "[4]",
    }),
  );
  assert.is(error.code, "INVALID");
  assert.is(error.path, "[4].many[1]");
  assert.is(error.offset, 108);
  assert.match(error.message, "missing required field id of inner");
});

test("a defect inside nested lists is found with its way", () => {
  const error = refusal(() => decode("6a 02 08 01 6a 05 08 02 1a 7f 61"));
  assert.is(error.path, "sample.many[1].notes");
  assert.is(error.code, "TRUNCATED");
});

test("messages nest only so deep", () => {
  let bytes: Buffer = Buffer.alloc(0);
  for (let i = 0; i < 100; i++) bytes = encodeWrapped(bytes);
  assert.is(refusal(() => decodeMessage(SAMPLE, bytes)).code, "TOO_LARGE");
});

test("canonical encoding: by number, minimal, one by one, unknown fields in place", () => {
  const value = decode("70 01 08 01 7a 01 78 fa 06 01 00");
  assert.is(encodeMessage(SAMPLE, value as never).toString("hex"), "080170017a0178fa060100");
});

test("values that do not fit are refused with their way", () => {
  const cases: [AnyValue, string, RegExp][] = [
    [{ u32: 2 ** 32 }, "sample.u32", /4294967296.*from 0 to 4294967295/],
    [{ u32: -1 }, "sample.u32", /-1/],
    [{ u32: 1n }, "sample.u32", /1/],
    [{ u64: 2n ** 64n }, "sample.u64", /18446744073709551616/],
    [{ u64: 5 }, "sample.u64", /bigint/],
    [{ i64: 2n ** 63n }, "sample.i64", /9223372036854775808/],
    [{ s32: 2 ** 31 }, "sample.s32", /2147483648/],
    [{ flag: 1 }, "sample.flag", /true or false/],
    [{ text: 5 }, "sample.text", /text/],
    [{ text: "\ud800" }, "sample.text", /surrogate/],
    [{ data: "x" }, "sample.data", /bytes/],
    [{ numbers: 3 }, "sample.numbers", /list/],
    [{ numbers: [1, "2"] }, "sample.numbers[1]", /"2"/],
    [{ one: {} }, "sample.one.id", /required/],
    [{ many: [{ id: 1 }, { id: 1.5 }] }, "sample.many[1].id", /1.5/],
    [{ one: [] }, "sample.one", /invalid list/],
  ];
  for (const [value, path, text] of cases) {
    const error = refusal(() => encodeMessage(SAMPLE, value as never));
    assert.is(error.path, path);
    assert.match(error.message, text);
  }
});

test("non-canonical bytes are told from canonical ones", () => {
  const cases: [string, boolean][] = [
    ["08 01", true],
    ["08 81 00", false],
    ["88 00 01", false],
    ["40 02", false],
    ["18 ff ff ff ff 0f", false],
    ["18 ff ff ff ff ff ff ff ff ff 01", true],
    ["10 01 08 01", false],
    ["08 01 08 01", false],
    ["70 01 70 02", true],
    ["72 02 01 02", false],
    ["62 02 08 01", true],
    ["62 82 00 08 01", false],
    ["62 03 08 81 00", false],
    ["62 02 08 01 62 02 08 01", false],
    ["f8 06 81 00", true],
    ["f8 86 00 01", false],
    ["08 01 f8 06 01", true],
    ["f8 06 01 08 01", false],
    ["4a 01 ff", true],
  ];
  for (const [hex, canonical] of cases)
    assert.is(isCanonical(SAMPLE, decode(hex), bytesOf(hex)), canonical, hex);
});

test("an empty message is a message", () => {
  assert.is(encodeMessage(SAMPLE, decode("") as never).length, 0);
  assert.is(refusal(() => decodeMessage(INNER, Buffer.alloc(0))).code, "INVALID");
});

test.run();

function encodeWrapped(bytes: Buffer): Buffer {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([0xd2, 0x01, ...length]), bytes]);
}
