// A field of an image is read in more than one place: into a value, straight into JSON, and for a dump of the bytes.
import * as assert from "uvu/assert";
import { messageRanges } from "../../../src/ops/dump/message-ranges.js";
import { decodeMessage } from "../../../src/schema/decode.js";
import { encodeMessage } from "../../../src/schema/encode.js";
import type { AnyValue } from "../../../src/schema/message.js";
import { bracketed, messageMembers } from "../../../src/schema/to-json.js";
import { WireWriter } from "../../../src/schema/wire.js";
import { copyAsJson } from "../../../src/schema/wire-json.js";
import { SAMPLE } from "../../helpers/sample-tables.js";
import { suite } from "../../helpers/suite.js";

const test = suite("readers of a varint");

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
const unzigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n);

/** What protobuf-c, criu's reader, makes of the 64 bits of a varint: parse_uint32(), unzigzag32() … */
const MEANINGS: Readonly<Record<string, (bits: bigint) => unknown>> = {
  u32: low,
  i32: (bits) => low(bits) | 0,
  s32: (bits) => Number(BigInt.asIntN(32, unzigzag(BigInt(low(bits))))),
  color: (bits) => low(bits) | 0,
  flag: (bits) => bits !== 0n,
  u64: (bits) => bits,
  i64: (bits) => BigInt.asIntN(64, bits),
  s64: (bits) => BigInt.asIntN(64, unzigzag(bits)),
};

const EDGES = [7n, 8n, 28n, 31n, 32n, 35n, 47n, 53n, 63n, 64n]
  .flatMap((shift) => [-2n, -1n, 0n, 1n, 5n].map((more) => (1n << shift) + more))
  .concat([0n, 1n, 2n, 5n, 0x4e_4782_8000_0000n, 0xffff_ffff_8000_0000n])
  .filter((bits) => bits >= 0n && bits < 1n << 64n);

/** A field with this varint, in as many bytes as needed or (`padded`) with a zero more. */
function fieldOf(number: number, bits: bigint, padded: boolean): Buffer {
  const writer = new WireWriter();
  writer.uint32(number << 3);
  writer.uint64(bits);
  const bytes = writer.take();
  if (!padded || bits >= 1n << 63n) return bytes;
  bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80;
  return Buffer.concat([bytes, Buffer.of(0)]);
}

for (const [name, meaning] of Object.entries(MEANINGS))
  test(`${name}: every reader takes the same number out of any varint`, () => {
    const { number } = SAMPLE.fields[name as "u32"];
    for (const bits of EDGES)
      for (const padded of [false, true]) {
        const bytes = fieldOf(number, bits, padded);
        const value = decodeMessage(SAMPLE, bytes) as AnyValue;
        assert.equal(value[name], meaning(bits), `0x${bits.toString(16)}`);
        const text = bracketed(messageMembers(SAMPLE, value, { pretty: false }, ""), "{}", "");
        const out = Buffer.alloc(200);
        const cursor = { buf: bytes, pos: 0, end: bytes.length, out, at: 0 };
        if (copyAsJson(SAMPLE, cursor)) assert.is(out.toString("latin1", 0, cursor.at), text);
        const canonical = encodeMessage(SAMPLE, value as never);
        assert.equal(textOf(bytes), textOf(canonical));
        assert.equal(decodeMessage(SAMPLE, canonical), value);
      }
  });

test("no number is written that its readers would take for another one", () => {
  for (const value of [0x8000_0001 | 4, 2 ** 32])
    assert.throws(() => encodeMessage(SAMPLE, { u32: value } as never), /from 0 to 4294967295/);
});

test.run();

/** What a dump says of the value. */
function textOf(bytes: Buffer): string | undefined {
  return [...messageRanges(SAMPLE, bytes, 0, "")].find(({ what }) => what === "value")?.text;
}
