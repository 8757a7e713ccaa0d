import { type CrimgError, isCrimgError } from "../../io/errors.js";
import { READ_WINDOW_BYTES } from "../../io/limits.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { lazy } from "../../model/lazy.js";
import type { StoredMemory, StoredPages } from "../../model/memory.js";
import { segmentUses } from "../../model/segment-uses.js";
import type { FilePiece, StoredContents } from "../../model/stored-bytes.js";
import { storedContents } from "../../model/stored-contents.js";
import { Finder, type Found } from "./finder.js";
import { type Encoding, type PatternOptions, targetsOf } from "./pattern.js";
import { type Place, Places } from "./places.js";
import { type Stretch, windowGroups } from "./windows.js";

export interface GrepOptions extends PatternOptions {
  /** Only the memory of these tasks. */
  readonly pids?: readonly number[] | undefined;
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

/** What a search could not look at. */
export interface Unsearched {
  /** Pages left in the dumped task, and those that a parent set should have. */
  lazy: number;
  missing: number;
  readonly errors: CrimgError[];
}

/** What there is to search in an image. */
export interface Searchable {
  readonly checkpoint: Checkpoint;
  readonly memory: readonly StoredMemory[];
  readonly contents: readonly StoredContents[];
}

/**
 * Finds what can be searched: the stored memory of all tasks, or of `pids`; and, without `pids`, what pipes, sockets, message
 * queues and deleted files hold. Errors: FormatError for damage, NotFoundError for a pid that is not there.
 */
export function searchable({ checkpoint }: Document, { pids }: GrepOptions): Searchable {
  const all = [...checkpoint.storedMemory()];
  if (pids === undefined) return { checkpoint, memory: all, contents: [...storedContents(checkpoint)] };
  const tasks = chosenTasks(checkpoint, { pids });
  const owners = new Set(tasks.map(({ memoryOf }) => memoryOf));
  const segments = segmentUses(tasks);
  const memory = all.filter(
    ({ pid, segment }) =>
      (pid !== undefined && owners.has(pid)) || (segment !== undefined && segments.has(segment)),
  );
  return { checkpoint, memory, contents: [] };
}

/**
 * Searches for a pattern; what cannot be read is told in `unsearched`, and the search goes on. Reads each stored page once
 * and holds about a MiB. Errors: USAGE for an invalid pattern, or a regular expression that takes too long.
 */
export function* grep(
  { checkpoint, memory, contents }: Searchable,
  pattern: string,
  { options, unsearched }: { readonly options: GrepOptions; readonly unsearched: Unsearched },
): Generator<GrepHit> {
  const finder = new Finder(targetsOf(pattern, options), options.context ?? TEXT_AROUND);
  const places = new Places(checkpoint);
  for (const source of memory) {
    const pages = lazy(() => source.pages());
    const find = function* (): Generator<GrepHit> {
      const placeOf = lazy(() => places.ofMemory(source, pages()));
      for (const found of search(finder, storedStretches(pages(), unsearched)))
        yield hit(found, placeOf()(addressOf(found)), options);
    };
    yield* goingOn(find(), unsearched);
  }
  for (const source of contents) {
    const find = function* (): Generator<GrepHit> {
      const pieces = [...source.pieces()].sort((a, b) => a.at - b.at);
      for (const found of search(finder, stretchesOf(pieces)))
        yield hit(found, places.ofContents(source, pieces, Number(addressOf(found))), options);
    };
    yield* goingOn(find(), unsearched);
  }
}

/** One part that cannot be read does not end the search. */
function* goingOn(hits: Iterable<GrepHit>, { errors }: Unsearched): Generator<GrepHit> {
  try {
    yield* hits;
  } catch (error) {
    if (!isCrimgError(error) || error.code === "USAGE") throw error;
    errors.push(error);
  }
}

function* search(finder: Finder, stretches: Iterable<Stretch>): Generator<Found> {
  finder.restart();
  for (const windows of windowGroups(stretches, finder.margins)) yield* finder.find(windows);
}

function* storedStretches(pages: StoredPages, unsearched: Unsearched): Generator<Stretch> {
  for (const { address, bytes, where, pages: count } of pages.pieces())
    if (bytes !== undefined) yield { address, bytes };
    else if (where === "lazy") unsearched.lazy += count;
    else if (where === "parent-missing") unsearched.missing += count;
}

function* stretchesOf(pieces: readonly FilePiece[]): Generator<Stretch> {
  for (const { at, source, offset, size } of pieces)
    for (let done = 0; done < size; done += READ_WINDOW_BYTES)
      yield {
        address: BigInt(at + done),
        bytes: source.read(offset + done, Math.min(READ_WINDOW_BYTES, size - done)),
      };
}

function addressOf({ window, start }: Found): bigint {
  return window.address + BigInt(start);
}

function hit({ window, start, end, encoding }: Found, place: Place, { context }: GrepOptions): GrepHit {
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
