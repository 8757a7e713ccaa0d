import * as assert from "uvu/assert";
import { decodeLz4Block } from "../../../src/formats/lz4.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { assertBytes } from "../../helpers/bytes.js";
import { lz4Blocks } from "../../helpers/lz4.js";
import { suite } from "../../helpers/suite.js";

const test = suite("lz4 blocks");

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

function fails(block: Buffer, size: number, text: RegExp): void {
  try {
    decodeLz4Block(block, size, { file: "pages-1.img", offset: 0x1000 });
  } catch (error) {
    assert.ok(isCrimgError(error) && error.code === "INVALID", String(error));
    assert.match((error as Error).message, text);
    return;
  }
  assert.unreachable("the block was decoded");
}

test("literals alone", () => {
  assertBytes(decodeLz4Block(hex("50 68656c6c6f"), 5), Buffer.from("hello"));
  assertBytes(decodeLz4Block(hex("00"), 0), Buffer.alloc(0));
  const long = Buffer.alloc(15 + 255 + 7, 0x41);
  assertBytes(decodeLz4Block(Buffer.concat([hex("f0 ff 07"), long]), long.length), long);
});

test("matches: apart, touching, overlapping themselves", () => {
  assertBytes(decodeLz4Block(hex("40 61626364 0400 10 21"), 9), Buffer.from("abcdabcd!"));
  assertBytes(decodeLz4Block(hex("1f 61 0100 05 10 21"), 1 + 24 + 1), Buffer.from(`${"a".repeat(25)}!`));
  assertBytes(decodeLz4Block(hex("33 616263 0300 10 2e"), 11), Buffer.from("abcabcabca."));
});

test("what the lz4 tool compresses comes back", () => {
  const text = Buffer.from(Array.from({ length: 3000 }, (_, i) => `${(i * i) % 997}:${i % 7};`).join(""));
  const runs = Buffer.concat([Buffer.alloc(70_000, 0x20), text, Buffer.alloc(300, 0xff)]);
  for (const size of [4096, 65536]) {
    const sizes = lz4Blocks(runs, size);
    assert.ok(sizes.some(({ compressed }) => compressed));
    sizes.forEach(({ bytes, compressed }, i) => {
      const plain = runs.subarray(i * size, (i + 1) * size);
      assertBytes(compressed ? decodeLz4Block(bytes, plain.length) : bytes, plain);
    });
  }
});

test("a damaged block is refused with its place", () => {
  fails(Buffer.alloc(0), 4096, /decodes to 0 \(at offset 0x1000\)/);
  fails(hex("50 6865"), 5, /truncated literals/);
  fails(hex("50 68656c6c6f"), 4, /decodes to more/);
  fails(hex("50 68656c6c6f"), 6, /decodes to 5/);
  fails(hex("10 61 0000 10 21"), 9, /invalid match distance 0 \(expected at most 1/);
  fails(hex("10 61 0200 10 21"), 9, /invalid match distance 2 \(expected at most 1/);
  fails(hex("10 61 01"), 9, /truncated match distance/);
  fails(hex("1f 61 0100"), 4096, /truncated length \(at offset 0x1004\)/);
  fails(hex("14 61 0100"), 9, /missing last literals/);
  fails(Buffer.concat([hex("1f 61 0100"), Buffer.alloc(1 << 20, 0xff), hex("00 10 21")]), 4096, /more/);
});

test("no flipped bit reads or writes outside, or takes long", () => {
  const page = Buffer.from("The quick brown fox. ".repeat(200)).subarray(0, 4096);
  const [block] = lz4Blocks(page, 4096);
  assert.ok(block?.compressed);
  for (let bit = 0; bit < (block?.bytes.length ?? 0) * 8; bit++) {
    const damaged = Buffer.from(block?.bytes ?? []);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      assert.is(decodeLz4Block(damaged, 4096).length, 4096);
    } catch (error) {
      assert.ok(isCrimgError(error), String(error));
    }
  }
});

test.run();
