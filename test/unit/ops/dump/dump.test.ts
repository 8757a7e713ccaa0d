import * as assert from "uvu/assert";
import { CriuImage } from "../../../../src/formats/criu/image.js";
import { READ_WINDOW_BYTES } from "../../../../src/io/limits.js";
import { type ByteSource, MemorySource } from "../../../../src/io/source.js";
import { dumpImage } from "../../../../src/ops/dump/dump-image.js";
import { PAYLOAD_IMAGES } from "../../../helpers/payload-images.js";
import { imageOf } from "../../../helpers/recode.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: dump");

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

function dumped(bytes: Buffer, fileName = ""): (string | number)[][] {
  const image = new CriuImage(new MemorySource(bytes, "image"), fileName);
  return [...dumpImage(image)].map(({ offset, size, what, owner, text }) => [
    offset,
    size,
    what,
    owner,
    ...(text === undefined ? [] : [text]),
  ]);
}

test("magic words, sizes, tags, lengths and values have their owners", () => {
  assert.equal(dumped(imageOf(0x54473203, [bytesOf("0a 01 61 12 00")])), [
    [0, 4, "magic", "", "common (0x54564319)"],
    [4, 4, "magic", "", "UTSNS (0x54473203)"],
    [8, 4, "size", "[0]", "utsns_entry, 5 bytes"],
    [12, 1, "tag", "[0].nodename", "field 1, length-delimited"],
    [13, 1, "length", "[0].nodename", "1"],
    [14, 1, "value", "[0].nodename", '"a"'],
    [15, 1, "tag", "[0].domainname", "field 2, length-delimited"],
    [16, 1, "length", "[0].domainname", "0"],
  ]);
});

test("elements of lists, packed runs, unknown fields and wrong wire types are told apart", () => {
  const bytes = imageOf(0x50273030, [
    bytesOf("08 01 10 00 18 01 20 01 28 05 2a 03 06 81 00 fa 06 01 ff 0a 01 78"),
  ]);
  assert.equal(
    dumped(bytes)
      .slice(11)
      .map(([, ...rest]) => rest),
    [
      [1, "tag", "[0].threads[0]", "field 5, varint"],
      [1, "value", "[0].threads[0]", "5"],
      [1, "tag", "[0].threads[1]", "field 5, length-delimited"],
      [1, "length", "[0].threads[1]", "3"],
      [1, "value", "[0].threads[1]", "6"],
      [2, "value", "[0].threads[2]", "1"],
      [2, "tag", "[0].111", "field 111, length-delimited"],
      [1, "length", "[0].111", "1"],
      [1, "unknown", "[0].111", "ff"],
      [1, "tag", "[0].pid", "field 1, length-delimited"],
      [1, "length", "[0].pid", "1"],
      [1, "unknown", "[0].pid", "wrong wire type: 78"],
    ],
  );
});

test("a raw image is one range, an empty one none", () => {
  assert.equal(dumped(Buffer.from("page"), "pages-1.img"), [[0, 4, "raw", "pages-1.img"]]);
  assert.equal(dumped(Buffer.alloc(0), "pages-1.img"), []);
});

for (const [name, bytes] of PAYLOAD_IMAGES)
  test(`${name}: payloads and padding are owned`, () => {
    let at = 0;
    for (const [offset, size] of dumped(bytes) as [number, number][]) {
      assert.is(offset, at);
      at += size;
    }
    assert.is(at, bytes.length);
  });

test("a payload is not read, however large it is", () => {
  const [, bytes = Buffer.alloc(0)] =
    PAYLOAD_IMAGES.find(([name]) => name === "a payload of many lines") ?? [];
  const memory = new MemorySource(bytes, "image");
  let furthest = 0;
  const source: ByteSource = {
    name: "image",
    size: bytes.length + 1e12,
    read: (offset, size) => {
      // The reader's window may look ahead, but by no more than its own size.
      furthest = Math.max(furthest, offset + size);
      return Buffer.concat([memory.read(offset, Math.min(size, bytes.length - offset))], size);
    },
    close: () => {},
  };
  const ranges = dumpImage(new CriuImage(source, ""));
  const whats = [];
  for (const { what } of ranges) {
    whats.push(what);
    if (what === "payload") break;
  }
  assert.is(whats.at(-1), "payload");
  assert.ok(furthest <= READ_WINDOW_BYTES + 100, String(furthest));
});

test.run();
