import * as assert from "uvu/assert";
import { decodeMessage } from "../../../src/schema/decode.js";
import { ValueError } from "../../../src/schema/encode.js";
import { messageFromJson } from "../../../src/schema/from-json.js";
import { JsonError, JsonReader } from "../../../src/schema/json-reader.js";
import type { AnyValue } from "../../../src/schema/message.js";
import { bracketed, messageMembers } from "../../../src/schema/to-json.js";
import { SAMPLE } from "../../helpers/sample-tables.js";
import { suite } from "../../helpers/suite.js";

const test = suite("schema: records as JSON");

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

function json(hex: string, pretty = false): string {
  const value = decodeMessage(SAMPLE, bytesOf(hex)) as AnyValue;
  return bracketed(messageMembers(SAMPLE, value, { pretty }, ""), "{}", "");
}

function value(text: string, lax = false): Record<string, unknown> {
  const read = messageFromJson(SAMPLE, new JsonReader(text), { lax });
  return Object.fromEntries(
    Object.entries(read).filter(([, item]) => !Array.isArray(item) || item.length > 0),
  );
}

function refusal(text: string): ValueError | JsonError {
  try {
    value(text);
  } catch (error) {
    if (error instanceof ValueError || error instanceof JsonError) return error;
    throw error;
  }
  return assert.unreachable(`${text} was accepted`) as never;
}

/** Bytes of a message, its plain JSON and its pretty JSON. */
const SAMPLES: [string, string, string][] = [
  ["08 ff ff ff ff 0f", '{"u32": 4294967295}', '{"u32": 4294967295}'],
  ["10 ff ff ff ff ff ff ff ff ff 01", '{"u64": 18446744073709551615}', '{"u64": 18446744073709551615}'],
  ["20 80 80 80 80 80 80 80 80 80 01", '{"i64": -9223372036854775808}', '{"i64": -9223372036854775808}'],
  ["40 00", '{"flag": false}', '{"flag": false}'],
  [
    "4a 06 c3 a9 ff 0a 22 7f",
    '{"text": "\\u00e9\\udcff\\n\\"\\u007f"}',
    '{"text": "\\u00e9\\udcff\\n\\"\\u007f"}',
  ],
  ["4a 04 f0 9f 98 80", '{"text": "\\ud83d\\ude00"}', '{"text": "\\ud83d\\ude00"}'],
  ["52 02 00 ff", '{"data": "AP8=\\n"}', '{"data": "AP8=\\n"}'],
  ["52 00", '{"data": ""}', '{"data": ""}'],
  [
    "58 05 80 01 00 80 01 07",
    '{"color": "BLUE", "colors": ["RED", 7]}',
    '{"color": "BLUE", "colors": ["RED", 7]}',
  ],
  ["90 01 ff ff ff ff ff ff ff ff ff 01", '{"hex": 18446744073709551615}', '{"hex": "0xffffffffffffffff"}'],
  ["98 01 93 80 80 80 08", '{"mask": 2147483667}', '{"mask": "A | B | HIGH | 0x10"}'],
  ["98 01 00", '{"mask": 0}', '{"mask": ""}'],
  ["a0 01 09", '{"state": 9}', '{"state": "Zombie"}'],
  ["a0 01 02", '{"state": 2}', '{"state": 2}'],
  ["a8 01 ff 80 80 88 01", '{"address": [285212799]}', '{"address": ["127.0.0.17"]}'],
  [
    "a8 01 00 a8 01 00 a8 01 00 a8 01 80 80 80 08",
    '{"address": [0, 0, 0, 16777216]}',
    '{"address": ["::1"]}',
  ],
  ["a8 01 01 a8 01 02", '{"address": [1, 2]}', '{"address": [1, 2]}'],
  ["b0 01 83 80 c0 08", '{"dev": 17825795}', '{"dev": "17:3"}'],
  ["b8 01 81 12", '{"odev": 2305}', '{"odev": "9:1"}'],
  ["c2 01 04 00 61 3d 20", '{"unix": "=00a=3D=20"}', '{"unix": "=00a=3D=20"}'],
  ["ca 01 02 08 10", '{"hex_inside": {"id": 16}}', '{"hex_inside": {"id": "0x10"}}'],
];

for (const [hex, plain, pretty] of SAMPLES)
  test(`${hex} is ${plain} and back`, () => {
    const decoded = decodeMessage(SAMPLE, bytesOf(hex)) as AnyValue;
    assert.is(json(hex), plain);
    assert.is(json(hex, true), pretty);
    assert.equal(messageFromJson(SAMPLE, new JsonReader(plain), { lax: false }), decoded);
    assert.equal(messageFromJson(SAMPLE, new JsonReader(pretty), { lax: false }), decoded);
  });

test("unknown fields stand in _unknown and come back", () => {
  const hex = "f8 06 2a 0a 01 78";
  const text = json(hex);
  assert.is(
    text,
    '{"_unknown": [{"number": 111, "wire_type": 0, "data": "Kg==\\n"}, {"number": 1, "wire_type": 2, "data": "eA==\\n"}]}',
  );
  assert.equal(
    messageFromJson(SAMPLE, new JsonReader(text), { lax: false }),
    decodeMessage(SAMPLE, bytesOf(hex)),
  );
});

test("go-crit's habits are read: camelCase, 64-bit integers in quotes, base64 for the names of sockets", () => {
  assert.equal(value('{"hexInside": {"id": 7}, "u64": "18446744073709551615", "data": "AP8"}'), {
    hex_inside: { id: 7, notes: [] },
    u64: 2n ** 64n - 1n,
    data: Buffer.from([0, 255]),
  });
  assert.equal(value('{"unix": "L3RtcA==", "u64": "1"}').unix, Buffer.from("/tmp"));
  assert.equal(value('{"unix": "L3RtcA=3D=3D", "u64": 1}').unix, Buffer.from("L3RtcA=="));
});

test("numbers may be text in any base, and names or flags in any order", () => {
  assert.equal(value('{"u32": "0x1F", "i32": "-5", "i64": "0x-10", "u64": " 7 ", "color": "5"}'), {
    u32: 31,
    i32: -5,
    i64: -16n,
    u64: 7n,
    color: 5,
  });
  assert.equal(value('{"mask": "OURS | A|0x100"}'), { mask: 0x111 });
  assert.equal(value('{"address": ["1.2.3.4"]}'), { address: [0x04030201] });
  assert.equal(value('{"address": ["::ffff:1.2.3.4"]}'), { address: [0, 0, 0xffff0000, 0x04030201] });
});

test("what does not fit is refused with its way", () => {
  const cases: [string, string, RegExp][] = [
    ['{"nope": 1}', ".nope", /unknown field "nope" of sample \(expected u32/],
    ['{"many": [{"id": 1}, {"idd": 1}]}', ".many[1].idd", /unknown field "idd" of inner/],
    ['{"u32": 1, "u32": 2}', ".u32", /duplicate key/],
    ['{"hex_inside": {"id": 1}, "hexInside": {"id": 1}}', ".hexInside", /duplicate key/],
    ['{"color": "PINK"}', ".color", /unknown name "PINK" \(expected RED, GREEN, BLUE/],
    ['{"mask": "A | C"}', ".mask", /unknown flag "C" \(expected .*A, B, HIGH, OURS/],
    ['{"state": "zombie"}', ".state", /unknown name "zombie" \(expected Alive, Zombie/],
    ['{"data": "a*b"}', ".data", /invalid base64/],
    ['{"text": null}', ".text", /null \(expected text\)/],
    ['{"flag": 1}', ".flag", /a number \(expected true or false/],
    ['{"numbers": 1}', ".numbers", /a list/],
    ['{"numbers": [1, "x"]}', ".numbers[1]", /not an integer: "x"/],
    ['{"one": []}', ".one", /a list \(expected a inner/],
    ['{"dev": "4096:99999999"}', ".dev", /invalid device/],
    ['{"_unknown": [{"number": 0, "wire_type": 0, "data": ""}]}', "._unknown", /invalid unknown field/],
    ['{"_unknown": [{"number": 5, "wire_type": 3, "data": ""}]}', "._unknown", /invalid unknown field/],
  ];
  for (const [text, path, message] of cases) {
    const error = refusal(text);
    assert.instance(error, ValueError, text);
    assert.is((error as ValueError).path, path);
    assert.match(error.message, message);
  }
});

test("with lax an unknown key is stepped over, whatever it holds", () => {
  assert.equal(value('{"nope": {"a": [1.5e3, "}", null, true, {}]}, "u32": 1}', true), { u32: 1 });
});

test("a name like that of an object's own members is no field", () => {
  assert.match(refusal('{"constructor": 1}').message, "unknown field");
  assert.match(refusal('{"__proto__": {"u32": 1}}').message, "unknown field");
});

test("integers are exact, and what a tool has rounded is refused", () => {
  assert.equal(value('{"u64": 9007199254740993}'), { u64: 9007199254740993n });
  assert.equal(value('{"u64": 0}'), { u64: 0n });
  for (const number of ["1.8446744073709552e+19", "1.0", "1e3"])
    assert.match(refusal(`{"u64": ${number}}`).message, "not an integer");
  assert.match(refusal('{"u64": 007}').message, "leading zero");
  assert.match(refusal(`{"u64": ${"9".repeat(1000)}}`).message, "1000 digits");
});

test("text that is no JSON is refused where it stops being JSON", () => {
  for (const text of [
    "",
    "{",
    '{"u32"',
    '{"u32": ',
    '{"u32": 1',
    '{"u32": 1,}',
    '{"text": "a',
    '{"text": "\n"}',
    '{"text": "\\x"}',
    "{u32: 1}",
    '{"flag": tru}',
  ])
    assert.instance(refusal(text), JsonError, text);
  const reader = new JsonReader('{\n  "u32": ?}');
  assert.is(reader.where(11), "line 2, column 10");
});

test("deep nesting ends in an error, not in a full stack", () => {
  const deep = "[".repeat(100_000);
  assert.throws(
    () => new JsonReader(deep).skip(),
    (error: unknown) => error instanceof JsonError,
  );
  let tree = '{"u32": 1}';
  for (let i = 0; i < 70; i++) tree = `{"tree": ${tree}}`;
  assert.match(refusal(tree).message, "nested too deep");
});

test.run();
