/** Data is compressed while it is made: one frame that other programs read. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { gunzipSync, inflateSync } from "node:zlib";
import * as assert from "uvu/assert";
import { storedLz4Frame } from "../../../src/formats/archive/lz4-frame.js";
import { type CompressorName, compressed } from "../../../src/io/compress.js";
import { needs } from "../../helpers/needs.js";
import { suite } from "../../helpers/suite.js";

const test = suite("compressing");

function program(name: string, bytes: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(name, ["-d", "-c", "-q"], {
    input: bytes,
    maxBuffer: 2 ** 26,
  });
  assert.is(status, 0, String(stderr));
  return stdout;
}

const READERS: Readonly<Record<CompressorName, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  zlib: inflateSync,
  zstd: (bytes) => program("zstd", bytes),
};

function gathered(chunks: Iterable<Buffer>): Buffer {
  // Each chunk is valid until the next one.
  return Buffer.concat([...mapped(chunks)]);
}

function* mapped(chunks: Iterable<Buffer>): Generator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

for (const codec of ["gzip", "zlib", "zstd"] as const)
  test(`${codec}: nothing, a byte, more than the rings hold, and chunks of all sizes`, () => {
    if (codec === "zstd") needs("zstd");
    const large = randomBytes(9 * 1024 * 1024);
    for (const chunks of [
      [],
      [Buffer.of(7)],
      [large],
      [
        Buffer.alloc(0),
        large.subarray(0, 1),
        large.subarray(1, 70_001),
        Buffer.alloc(3_000_000),
        large.subarray(9),
      ],
    ]) {
      const found = gathered(compressed(chunks, codec, "x"));
      assert.ok(READERS[codec](found).equals(Buffer.concat(chunks)), `${chunks.length} chunks`);
    }
  });

test("an error of what makes the chunks goes through", () => {
  function* failing(): Generator<Buffer> {
    yield Buffer.alloc(5_000_000);
    throw new TypeError("made up");
  }
  assert.throws(() => gathered(compressed(failing(), "gzip", "x")), /made up/);
});

test("LZ4 without compressing: blocks of at most 4 MiB, which the program lz4 reads", () => {
  needs("lz4");
  for (const bytes of [Buffer.alloc(0), Buffer.from("text"), randomBytes(9 * 1024 * 1024)]) {
    const frame = gathered(storedLz4Frame([bytes]));
    assert.ok(program("lz4", frame).equals(bytes));
  }
});

test.run();
