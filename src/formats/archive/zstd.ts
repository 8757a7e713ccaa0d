import { Decompress } from "fzstd";
import { decompressed, NoProgram } from "../../io/decompress.js";
import { FormatError, UnsupportedError } from "../../io/errors.js";
import { MAX_ZSTD_WINDOW_BYTES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import type { FileRange } from "../../io/unpacked-source.js";

/** RFC 8878, section 3.1. */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const SINGLE_SEGMENT = 0x20;
/** Bytes of the dictionary id and of the content size, by their bits in the descriptor. */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const CONTENT_SIZE_OFFSET = [0, 256, 0, 0];
const MAX_HEADER_BYTES = 18;
const MAX_SKIPPABLE_FRAMES = 16;
/** A byte of input can stand for 32 KiB of output, all of which the library gives out at once. */
const PUSHED_BYTES = 1024;

/** Where the first frame with data begins; undefined if the source has none where zstd has it. */
export function zstdFrame(source: ByteSource): number | undefined {
  let at = 0;
  for (let skipped = 0; skipped <= MAX_SKIPPABLE_FRAMES && at + 8 <= source.size; skipped++) {
    const bytes = source.read(at, 8);
    const magic = bytes.readUInt32LE();
    if (magic === FRAME_MAGIC) return at;
    if ((magic & SKIPPABLE_MASK) >>> 0 !== SKIPPABLE_MAGIC) return undefined;
    at += 8 + bytes.readUInt32LE(4);
  }
  return undefined;
}

/**
 * The decompressed bytes of zstd frames, by the program `zstd`, else by fzstd, which is three times slower and checks no
 * checksums.
 * Errors: FormatError; UNSUPPORTED for a window that takes too much memory.
 */
export function* zstdFrames(source: ByteSource, from: FileRange): Generator<Buffer> {
  assertWindow(source);
  try {
    yield* decompressed(from, "zstd", source.name);
  } catch (error) {
    if (!(error instanceof NoProgram)) throw error;
    yield* slowly(source);
  }
}

function* slowly(source: ByteSource): Generator<Buffer> {
  const out: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => void out.push(chunk));
  try {
    for (let at = 0; at < source.size; at += PUSHED_BYTES) {
      const size = Math.min(PUSHED_BYTES, source.size - at);
      // The library keeps a frame's bytes until it is complete, and changes none.
      decoder.push(source.read(at, size), at + size === source.size);
      for (const chunk of out.splice(0)) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    }
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "number") throw error;
    const isShort = /EOF/i.test(error.message);
    throw new FormatError(
      isShort ? "TRUNCATED" : "INVALID",
      isShort ? "truncated zstd data" : `invalid zstd data: ${error.message}`,
      { file: source.name },
    );
  }
}

/** Errors: UNSUPPORTED if the first frame wants a window above the limit. */
function assertWindow(source: ByteSource): void {
  const at = zstdFrame(source) ?? 0;
  const header = source.read(at, Math.min(MAX_HEADER_BYTES, source.size - at));
  const descriptor = header[4] ?? 0;
  const window = descriptor & SINGLE_SEGMENT ? contentSize(header, descriptor) : windowSize(header[5] ?? 0);
  if (window > MAX_ZSTD_WINDOW_BYTES)
    throw new UnsupportedError(
      `zstd window of ${window} bytes (expected at most ${MAX_ZSTD_WINDOW_BYTES}); decompress it first: zstd -d --long=31 FILE`,
      { file: source.name, offset: at },
    );
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Of a frame in one segment, which is its own window. */
function contentSize(header: Buffer, descriptor: number): number {
  const bits = descriptor >> 6;
  const at = 5 + (DICTIONARY_BYTES[descriptor & 3] as number);
  const size = bits === 0 ? 1 : (CONTENT_SIZE_BYTES[bits] as number);
  if (at + size > header.length) return 0;
  const stored = size === 8 ? Number(header.readBigUInt64LE(at)) : header.readUIntLE(at, size);
  return stored + (CONTENT_SIZE_OFFSET[bits] as number);
}
