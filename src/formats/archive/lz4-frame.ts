import { FormatError, UnsupportedError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import { decodeLz4Into } from "../lz4.js";

/** lz4_Frame_format.md of the LZ4 project, version 1.6.x. */
const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const MAGIC_BYTES = 4;
/** Bits of FLG, the byte behind the magic. */
const FLG = {
  version: 0xc0,
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  dictionary: 0x01,
  contentChecksum: 0x04,
};
const VERSION_1 = 0x40;
/** Bits 4 to 6 of BD. */
const MAX_BLOCK_BYTES: Readonly<Record<number, number>> = {
  4: 64 << 10,
  5: 256 << 10,
  6: 1 << 20,
  7: 4 << 20,
};
const CHECKSUM_BYTES = 4;
const NOT_COMPRESSED = 0x80000000;
/** How far a match of a dependent block may reach back. */
const HISTORY_BYTES = 64 << 10;

/**
 * The decoded bytes of LZ4 frames, one after another; each chunk is valid until the next one. Checksums are passed over.
 * Errors: FormatError; UNSUPPORTED for a frame that needs a dictionary.
 */
export function* lz4Frames(source: ByteSource): Generator<Buffer> {
  for (let at = 0; at < source.size; ) {
    const magic = source.read(at, MAGIC_BYTES).readUInt32LE();
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      at += 2 * MAGIC_BYTES + source.read(at + MAGIC_BYTES, 4).readUInt32LE();
    } else if (magic === FRAME_MAGIC) at = yield* frame(source, at + MAGIC_BYTES);
    else
      throw new FormatError("INVALID", `invalid LZ4 frame: magic 0x${magic.toString(16)}`, {
        file: source.name,
        offset: at,
      });
  }
}

/** Returns the offset behind the frame. */
function* frame(source: ByteSource, start: number): Generator<Buffer, number> {
  const [flags, descriptor] = source.read(start, 2) as unknown as [number, number];
  const largest = MAX_BLOCK_BYTES[(descriptor >> 4) & 7];
  const place = { file: source.name, offset: start };
  if ((flags & FLG.version) !== VERSION_1 || largest === undefined)
    throw new FormatError("INVALID", "invalid LZ4 frame: unknown version or size of blocks", place);
  if (flags & FLG.dictionary) throw new UnsupportedError("LZ4 frame with a dictionary", place);
  let at = start + 2 + (flags & FLG.contentSize ? 8 : 0) + 1;
  const out = Buffer.allocUnsafe(HISTORY_BYTES + largest);
  let history = 0;
  for (;;) {
    const word = source.read(at, 4).readUInt32LE();
    at += 4;
    if (word === 0) return at + (flags & FLG.contentChecksum ? CHECKSUM_BYTES : 0);
    const size = word & ~NOT_COMPRESSED;
    if (size > largest)
      throw new FormatError("INVALID", `invalid LZ4 block of ${size} bytes (expected at most ${largest})`, {
        file: source.name,
        offset: at - 4,
      });
    const block = source.read(at, size);
    const room = out.subarray(0, history + largest);
    const end =
      (word & NOT_COMPRESSED) !== 0
        ? history + block.copy(room, history)
        : decodeLz4Into(room, history, block, { file: source.name, offset: at });
    yield out.subarray(history, end);
    at += size + (flags & FLG.blockChecksum ? CHECKSUM_BYTES : 0);
    if (flags & FLG.independent) continue;
    const kept = Math.min(end, HISTORY_BYTES);
    out.copyWithin(0, end - kept, end);
    history = kept;
  }
}

/** Magic, version 1 with independent blocks of at most 4 MiB, no checksums, and the check byte of these two bytes. */
const STORED_HEADER = Buffer.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73);
const STORED_BLOCK_BYTES = 4 << 20;

/** An LZ4 frame of blocks that are not compressed: every reader takes it, and it needs no compressor. */
export function* storedLz4Frame(chunks: Iterable<Buffer>): Generator<Buffer> {
  yield STORED_HEADER;
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += STORED_BLOCK_BYTES) {
      const block = chunk.subarray(at, at + STORED_BLOCK_BYTES);
      yield word((NOT_COMPRESSED | block.length) >>> 0);
      yield block;
    }
  yield word(0);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
