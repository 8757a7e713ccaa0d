import { chunksOf } from "./digest.js";
import type { ByteSource } from "./source.js";

/** Offsets of `needle` in a source, ascending; holds one chunk in memory. */
export function* occurrences(
  source: ByteSource,
  needle: Buffer,
  onProgress?: (offset: number) => void,
): Generator<number> {
  let start = 0;
  let tail: Buffer = Buffer.alloc(0);
  for (const chunk of chunksOf(source)) {
    onProgress?.(start);
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const base = start - tail.length;
    for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) yield base + at;
    tail = bytes.subarray(Math.max(0, bytes.length - (needle.length - 1)));
    if (needle.length === 1) tail = Buffer.alloc(0);
    start += chunk.length;
  }
}
