import fc from "fast-check";
import * as assert from "uvu/assert";
import { isCrimgError } from "../../../src/io/errors.js";
import { bytesToText, hasRawBytes, textToBytes } from "../../../src/io/text.js";
import { assertBytes } from "../../helpers/bytes.js";
import { holds } from "../../helpers/property.js";
import { suite } from "../../helpers/suite.js";

const test = suite("io: bytes as text");

test("any bytes come back", () => {
  holds(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assertBytes(textToBytes(bytesToText(Buffer.from(bytes))), bytes);
    }),
    { numRuns: 2000 },
  );
});

test("valid UTF-8 is itself, U+FFFD and the ends of each length included", () => {
  for (const text of [
    "",
    "abc",
    "é",
    "\u07ff\u0800",
    "\uffff",
    "\ufffd",
    "\ud7ff\ue000",
    "😀",
    "\u{10ffff}",
    "\0",
  ]) {
    assert.is(bytesToText(Buffer.from(text)), text);
    assertBytes(textToBytes(text), Buffer.from(text));
    assert.not.ok(hasRawBytes(text));
  }
});

test("each byte that is not part of UTF-8 is one lone surrogate", () => {
  const cases: [string, string][] = [
    ["ff", "\udcff"],
    ["61ff62", "a\udcffb"],
    ["c0af", "\udcc0\udcaf"], // overlong
    ["eda080", "\udced\udca0\udc80"], // a surrogate as UTF-8
    ["f4908080", "\udcf4\udc90\udc80\udc80"], // above U+10FFFF
    ["e282", "\udce2\udc82"], // cut off
    ["e28261", "\udce2\udc82a"],
    ["80efbfbd80", "\udc80\ufffd\udc80"],
  ];
  for (const [hex, text] of cases) {
    assert.is(bytesToText(Buffer.from(hex, "hex")), text, hex);
    assert.ok(hasRawBytes(text));
  }
});

test("other lone surrogates stand for no byte", () => {
  for (const text of ["\ud800", "a\udc7f", "\udd00"]) assert.throws(() => textToBytes(text), isCrimgError);
});

test.run();
