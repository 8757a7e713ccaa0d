import { Finder } from "../../model/search/finder.js";
import { type Encoding, type PatternOptions, targetsOf } from "../../model/search/pattern.js";
import type { Place } from "../../model/search/places.js";
import {
  type Searchable,
  type StoredMatch,
  searchStored,
  type Unsearched,
} from "../../model/search/stored-search.js";

export interface GrepOptions extends PatternOptions {
  /** Bytes before and after a match; without it the text around it. */
  readonly context?: number | undefined;
}

/** A match. `before` and `after` are bytes around it. */
export interface GrepHit extends Place {
  readonly encoding: Encoding;
  readonly before: Buffer;
  readonly match: Buffer;
  readonly after: Buffer;
}

/**
 * Searches for a pattern; what cannot be read is told in `unsearched`, and the search goes on. Errors: USAGE for an invalid
 * pattern, or a regular expression that takes too long.
 */
export function* grep(
  all: Searchable,
  pattern: string,
  { options, unsearched }: { readonly options: GrepOptions; readonly unsearched: Unsearched },
): Generator<GrepHit> {
  const finder = new Finder(targetsOf(pattern, options), options.context ?? TEXT_AROUND);
  for (const match of searchStored(all, finder, unsearched)) yield hit(match, options);
}

function hit({ window, start, end, encoding, place }: StoredMatch, { context }: GrepOptions): GrepHit {
  const { bytes } = window;
  const before = context === undefined ? textBefore(bytes, start, encoding) : Math.max(0, start - context);
  const after = context === undefined ? textAfter(bytes, end, encoding) : end + context;
  // Copies: the window is not held.
  const part = (from: number, to: number): Buffer => Buffer.from(bytes.subarray(from, to));
  return {
    ...place,
    encoding,
    before: part(before, start),
    match: part(start, end),
    after: part(end, after),
  };
}

/** Text around a match that is shown unless a number of bytes was asked for. */
const TEXT_AROUND = 48;
const BINARY_AROUND = 8;

function textBefore(bytes: Buffer, start: number, encoding: Encoding): number {
  if (encoding === "bytes") return Math.max(0, start - BINARY_AROUND);
  const unit = encoding === "utf-16le" ? 2 : 1;
  let at = start;
  while (at >= unit && start - at < TEXT_AROUND && isText(bytes, at - unit, unit)) at -= unit;
  return at;
}

function textAfter(bytes: Buffer, end: number, encoding: Encoding): number {
  if (encoding === "bytes") return end + BINARY_AROUND;
  const unit = encoding === "utf-16le" ? 2 : 1;
  let at = end;
  while (at + unit <= bytes.length && at - end < TEXT_AROUND && isText(bytes, at, unit)) at += unit;
  return at;
}

function isText(bytes: Buffer, at: number, unit: number): boolean {
  const byte = bytes[at] as number;
  if (unit === 2) return bytes[at + 1] === 0 && byte >= 0x20 && byte !== 0x7f;
  return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
}
