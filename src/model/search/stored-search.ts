import { type CrimgError, isCrimgError } from "../../io/errors.js";
import { READ_WINDOW_BYTES } from "../../io/limits.js";
import type { Checkpoint } from "../checkpoint.js";
import { chosenTasks } from "../chosen-tasks.js";
import { lazy } from "../lazy.js";
import type { StoredMemory, StoredPages } from "../memory.js";
import { segmentUses } from "../segment-uses.js";
import type { FilePiece, StoredContents } from "../stored-bytes.js";
import { storedContents } from "../stored-contents.js";
import type { Finder, Found } from "./finder.js";
import { type Place, Places, storedAt } from "./places.js";
import { type Stretch, windowGroups } from "./windows.js";

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

/** A match; its bytes are valid until the next one. */
export interface StoredMatch extends Found {
  readonly place: Place;
  /** The parts of the match in files of the image, in order, each with the level of its set. */
  readonly parts: () => Iterable<StoredPart>;
}

export interface StoredPart extends Pick<Place, "file" | "fileOffset" | "level" | "compressed"> {
  readonly size: number;
}

/**
 * Finds what can be searched: the stored memory of all tasks, or of `pids`; and, without `pids`, what pipes, sockets, message
 * queues and deleted files hold. Errors: FormatError for damage, NotFoundError for a pid that is not there.
 */
export function searchable(checkpoint: Checkpoint, pids?: readonly number[]): Searchable {
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
 * Searches all of it; what cannot be read is told in `unsearched`, and the search goes on. Reads each stored page once and
 * holds about a MiB. Errors: USAGE for a regular expression that takes too long.
 */
export function* searchStored(
  { checkpoint, memory, contents }: Searchable,
  finder: Finder,
  unsearched: Unsearched,
): Generator<StoredMatch> {
  const places = new Places(checkpoint);
  for (const source of memory) {
    const pages = lazy(() => source.pages());
    const find = function* (): Generator<StoredMatch> {
      const placeOf = lazy(() => places.ofMemory(source, pages()));
      for (const found of search(finder, storedStretches(pages(), unsearched))) {
        const address = addressOf(found);
        const size = found.end - found.start;
        yield { ...found, place: placeOf()(address), parts: () => partsInPages(pages(), address, size) };
      }
    };
    yield* goingOn(find(), unsearched);
  }
  for (const source of contents) {
    const find = function* (): Generator<StoredMatch> {
      const pieces = [...source.pieces()].sort((a, b) => a.at - b.at);
      for (const found of search(finder, stretchesOf(pieces))) {
        const offset = Number(addressOf(found));
        const place = places.ofContents(source, pieces, offset);
        const size = found.end - found.start;
        yield { ...found, place, parts: () => partsInPieces(places, source, pieces, { offset, size }) };
      }
    };
    yield* goingOn(find(), unsearched);
  }
}

/** One part that cannot be read does not end the search. */
function* goingOn<T>(hits: Iterable<T>, { errors }: Unsearched): Generator<T> {
  try {
    yield* hits;
  } catch (error) {
    if (!isCrimgError(error) || error.code === "USAGE") throw error;
    errors.push(error);
  }
}

function* partsInPages(pages: StoredPages, start: bigint, size: number): Generator<StoredPart> {
  for (let done = 0; done < size; ) {
    const address = start + BigInt(done);
    const left = pages.pageSize - Number(address % BigInt(pages.pageSize));
    const part = Math.min(left, size - done);
    yield { ...storedAt(pages, address), size: part };
    done += part;
  }
}

function* partsInPieces(
  places: Places,
  source: StoredContents,
  pieces: readonly FilePiece[],
  { offset, size }: { readonly offset: number; readonly size: number },
): Generator<StoredPart> {
  for (const { at, size: length } of pieces) {
    const from = Math.max(offset, at);
    const to = Math.min(offset + size, at + length);
    if (to > from) yield { ...places.ofContents(source, pieces, from), size: to - from };
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
