import * as assert from "uvu/assert";
import { WireError, WireReader, WireWriter, wireSpans } from "../../../src/schema/wire.js";
import { suite } from "../../helpers/suite.js";

const test = suite("schema: wire level");

const reader = (hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return new WireReader(bytes, 0, bytes.length);
};

function written(write: (writer: WireWriter) => void): string {
  const writer = new WireWriter();
  write(writer);
  return writer.take().toString("hex");
}

function failure(run: () => unknown): WireError {
  try {
    run();
  } catch (error) {
    assert.instance(error, WireError);
    return error as WireError;
  }
  return assert.unreachable("no error") as never;
}

test("varints of every length are read and written minimally", () => {
  for (let bits = 0n; bits < 64n; bits++)
    for (const value of [1n << bits, (1n << bits) - 1n]) {
      const bytes = written((writer) => writer.uint64(value));
      assert.is(reader(bytes).uint64(), value);
      assert.is(bytes.length / 2, Math.max(1, Math.ceil(value.toString(2).length / 7)));
    }
  assert.is(reader("ff ff ff ff ff ff ff ff ff 01").uint64(), 2n ** 64n - 1n);
});

test("a negative int32 takes ten bytes and comes back", () => {
  assert.is(
    written((writer) => writer.int32(-1)),
    "ffffffffffffffffff01",
  );
  assert.is(reader("ffffffffffffffffff01").int32(), -1);
  assert.is(reader("ff ff ff ff 0f").int32(), -1);
});

test("zigzag numbers are read at both ends of their range", () => {
  assert.is(reader("ff ff ff ff 0f").sint32(), -(2 ** 31));
  assert.is(reader("fe ff ff ff 0f").sint32(), 2 ** 31 - 1);
  assert.is(reader("ff ff ff ff ff ff ff ff ff 01").sint64(), -(2n ** 63n));
});

test("needlessly long varints are read", () => {
  assert.is(reader("81 80 80 80 00").uint32(), 1);
  assert.is(reader("80 80 80 80 80 80 80 80 80 00").uint64(), 0n);
});

test("a uint32 drops the bits above 32, as every protobuf reader does", () => {
  assert.is(reader("ff ff ff ff ff 01").uint32(), 0xffffffff);
});

test("varints of more than 64 bits or 10 bytes are refused", () => {
  assert.match(failure(() => reader("ff ff ff ff ff ff ff ff ff 02").uint64()).message, "more than 64 bits");
  assert.match(
    failure(() => reader("80 80 80 80 80 80 80 80 80 80 00").uint64()).message,
    /64 bits|10 bytes/,
  );
});

test("a value that ends after its message is truncated, with the offset where it starts", () => {
  const error = failure(() => reader("80 80").uint64());
  assert.is(error.code, "TRUNCATED");
  assert.is(error.offset, 0);
  assert.is(failure(() => reader("01 02").fixed64()).code, "TRUNCATED");
  assert.is(failure(() => reader("").uint32()).code, "TRUNCATED");
});

test("a length is believed only as far as bytes are there", () => {
  for (const hex of ["05 00", "ff ff ff ff 0f", "ff ff ff ff ff ff ff ff ff 01"]) {
    const error = failure(() => reader(hex).length());
    assert.is(error.code, "TRUNCATED");
    assert.is(error.offset, 0);
  }
  assert.is(reader("00").length(), 0);
});

test("spans of all wire types tile the message", () => {
  const bytes = Buffer.from("08ac02 1103040506070809 0a 1a03616263 2501020304".replaceAll(" ", ""), "hex");
  const spans = wireSpans(bytes);
  assert.equal(
    spans.map(({ number, wireType, start, contentStart, end }) => [
      number,
      wireType,
      start,
      contentStart,
      end,
    ]),
    [
      [1, 0, 0, 1, 3],
      [2, 1, 3, 4, 12],
      [3, 2, 12, 14, 17],
      [4, 5, 17, 18, 22],
    ],
  );
});

test("groups, reserved wire types and field number 0 are refused", () => {
  for (const hex of ["0b", "0c", "0e 00", "0f 00", "00 00", "02 00"])
    assert.is(failure(() => wireSpans(Buffer.from(hex.replaceAll(" ", ""), "hex"))).code, "INVALID");
});

test("a writer puts lengths of every size in front of what was written", () => {
  for (const size of [0, 1, 127, 128, 16383, 16384, 2097152]) {
    const writer = new WireWriter();
    writer.uint32(9);
    const start = writer.pos;
    writer.bytes(Buffer.alloc(size, 7));
    writer.closeLength(start);
    const bytes = writer.take();
    const again = new WireReader(bytes, 1, bytes.length);
    assert.is(again.length(), size);
    assert.is(bytes.length - again.pos, size);
    assert.ok(bytes.subarray(again.pos).every((byte) => byte === 7));
  }
});

test("the number of elements of a record is bounded", () => {
  const error = failure(() => wireSpans(Buffer.alloc(2 * 600_000, Buffer.from([8, 1]))));
  assert.is(error.code, "TOO_LARGE");
});

test.run();
