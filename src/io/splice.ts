import { type ByteSource, checkRange } from "./source.js";

/** Replaces bytes [offset, offset + size) of a source with `bytes`. */
export interface Splice {
  readonly offset: number;
  readonly size: number;
  readonly bytes: Buffer;
}

interface Piece {
  readonly at: number;
  readonly size: number;
  /** Offset in the base source, or its own bytes. */
  readonly from: number | Buffer;
}

/** Smaller gaps between ranges of the base are read too: one system call instead of two. */
const GAP_BYTES = 64 * 1024;

/** A source with splices applied, read as if it had been written. Splices are ascending and disjoint. */
export class SplicedSource implements ByteSource {
  readonly size: number;
  readonly name: string;
  readonly #pieces: readonly Piece[];

  constructor(
    readonly base: ByteSource,
    readonly splices: readonly Splice[],
  ) {
    this.name = base.name;
    this.#pieces = piecesOf(base.size, splices);
    const last = this.#pieces.at(-1);
    this.size = last === undefined ? 0 : last.at + last.size;
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const end = offset + size;
    const first = this.#pieceAt(offset);
    const touched: Piece[] = [];
    for (let i = first; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i] as Piece;
      if (piece.at >= end) break;
      touched.push(piece);
    }
    const out = Buffer.allocUnsafe(size);
    const read = baseReader(this.base, touched, offset, end);
    for (const piece of touched) {
      const from = Math.max(offset, piece.at);
      const to = Math.min(end, piece.at + piece.size);
      const skip = from - piece.at;
      const bytes =
        typeof piece.from === "number"
          ? read(piece.from + skip, to - from)
          : piece.from.subarray(skip, skip + to - from);
      bytes.copy(out, from - offset);
    }
    return out;
  }

  close(): void {
    this.base.close();
  }

  #pieceAt(offset: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieces[middle] as Piece).at <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The inverse splices, which turn the spliced source back into its base. */
export function invertSplices(base: ByteSource, splices: readonly Splice[]): Splice[] {
  let shift = 0;
  return splices.map(({ offset, size, bytes }) => {
    const back = { offset: offset + shift, size: bytes.length, bytes: Buffer.from(base.read(offset, size)) };
    shift += bytes.length - size;
    return back;
  });
}

/** The splice that turns `before` (at `offset` of a source) into `after`, without their common head and tail. */
export function spliceBetween(offset: number, before: Buffer, after: Buffer): Splice | undefined {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const bytes = after.subarray(head, after.length - tail);
  const size = before.length - head - tail;
  return size === 0 && bytes.length === 0 ? undefined : { offset: offset + head, size, bytes };
}

function piecesOf(size: number, splices: readonly Splice[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let read = 0;
  const add = (length: number, from: number | Buffer): void => {
    if (length > 0) pieces.push({ at, size: length, from });
    at += length;
  };
  for (const splice of splices) {
    if (splice.offset < read || splice.offset + splice.size > size)
      throw new RangeError(`splice at ${splice.offset} is out of order or beyond the end`);
    add(splice.offset - read, read);
    add(splice.bytes.length, splice.bytes);
    read = splice.offset + splice.size;
  }
  add(size - read, read);
  return pieces;
}

/** Reads ranges of the base; ranges close together are read at once. */
function baseReader(
  base: ByteSource,
  pieces: readonly Piece[],
  start: number,
  end: number,
): (offset: number, size: number) => Buffer {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const { at, size, from } of pieces) {
    if (typeof from !== "number") continue;
    low = Math.min(low, from + Math.max(0, start - at));
    high = Math.max(high, from + Math.min(size, end - at));
  }
  if (high - low > end - start + GAP_BYTES) return (offset, size) => base.read(offset, size);
  const all = high > low ? base.read(low, high - low) : Buffer.alloc(0);
  return (offset, size) => all.subarray(offset - low, offset - low + size);
}

/** The changed files as they would be written. */
export function splicedFiles(
  files: { open(name: string): ByteSource | undefined },
  splices: ReadonlyMap<string, readonly Splice[]>,
): Map<string, SplicedSource> {
  const changed = new Map<string, SplicedSource>();
  for (const [name, list] of splices) {
    const base = files.open(name);
    if (base !== undefined) changed.set(name, new SplicedSource(base, list));
  }
  return changed;
}
