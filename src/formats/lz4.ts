import { type ErrorPlace, FormatError } from "../io/errors.js";

/** Minimum length of a match, which its length field is relative to. */
const MIN_MATCH = 4;

/**
 * Decodes one LZ4 block (lz4_Block_format.md of the LZ4 project): sequences of a token, literals, and a match in the
 * decoded bytes; the last one has only literals. Never reads or writes outside its buffers.
 * Errors: FormatError unless the block yields exactly `size` bytes; `place.offset` is the file offset of `block[0]`.
 */
export function decodeLz4Block(block: Buffer, size: number, place: ErrorPlace = {}): Buffer {
  const out = Buffer.allocUnsafe(size);
  const end = decodeLz4Into(out, 0, block, place);
  if (end !== size)
    throw new FormatError("INVALID", `invalid LZ4 block of ${size} bytes: decodes to ${end}`, {
      ...place,
      offset: (place.offset ?? 0) + block.length,
    });
  return out;
}

/**
 * Decodes one LZ4 block into `out` from `start` on, where matches may reach back to the bytes before it. Returns where the
 * decoded bytes end. Errors: FormatError, also when they do not fit.
 */
export function decodeLz4Into(out: Buffer, start: number, block: Buffer, place: ErrorPlace = {}): number {
  const size = out.length;
  let from = 0;
  let to = start;
  const fail = (text: string): never => {
    throw new FormatError("INVALID", `invalid LZ4 block of ${size - start} bytes: ${text}`, {
      ...place,
      offset: (place.offset ?? 0) + Math.min(from, block.length),
    });
  };
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; length += byte) {
      if (from >= block.length) fail("truncated length");
      byte = block[from++] as number;
    }
    return length;
  };
  while (from < block.length) {
    const token = block[from++] as number;
    const literals = lengthFrom(token >>> 4);
    if (literals > block.length - from) fail("truncated literals");
    if (literals > size - to) fail("decodes to more");
    block.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === block.length) break;
    if (block.length - from < 2) fail("truncated match distance");
    const distance = block.readUInt16LE(from);
    from += 2;
    if (distance === 0 || distance > to)
      fail(`invalid match distance ${distance} (expected at most ${to}, the decoded bytes)`);
    const match = lengthFrom(token & 15) + MIN_MATCH;
    if (match > size - to) fail("decodes to more");
    if (from === block.length) fail("missing last literals");
    copyMatch(out, to, distance, match);
    to += match;
  }
  return to;
}

/** Copies `length` bytes from `distance` before `to`; overlapping bytes repeat. */
function copyMatch(out: Buffer, to: number, distance: number, length: number): void {
  const start = to - distance;
  for (let done = 0; done < length; ) {
    const step = Math.min(length - done, distance + done);
    out.copyWithin(to + done, start, start + step);
    done += step;
  }
}
