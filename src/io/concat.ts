import { type ByteSource, checkRange } from "./source.js";

/** Bytes [offset, offset + size) of a source. */
export interface SourceRange {
  readonly source: ByteSource;
  readonly offset: number;
  readonly size: number;
}

/** Bytes in memory, a range of a source, or a number of zeros. */
export type Piece = Buffer | SourceRange | { readonly zeros: number };

export function pieceSize(piece: Piece): number {
  if (Buffer.isBuffer(piece)) return piece.length;
  return "zeros" in piece ? piece.zeros : piece.size;
}

/** Parts of a file of `size` bytes, ascending by `at`, with zeros between and behind them. */
export function* withHoles(
  parts: Iterable<SourceRange & { readonly at: number }>,
  size: number,
): Generator<SourceRange | { readonly zeros: number }> {
  let end = 0;
  for (const { at, ...range } of parts) {
    if (at > end) yield { zeros: at - end };
    yield range;
    end = at + range.size;
  }
  if (size > end) yield { zeros: size - end };
}

/** Adjacent small pieces in memory are joined up to this size. */
const JOIN_BYTES = 64 * 1024;

/** Collects pieces for a `ConcatSource`; ranges of sources are read lazily. */
export class PieceList {
  readonly #pieces: Piece[] = [];
  #open = Buffer.alloc(0);
  #openBytes = 0;
  #size = 0;

  /** Bytes of all pieces so far. */
  get size(): number {
    return this.#size;
  }

  add(piece: Piece): void {
    const size = pieceSize(piece);
    if (size === 0) return;
    this.#size += size;
    if (Buffer.isBuffer(piece) && size < JOIN_BYTES) {
      if (this.#openBytes + size > JOIN_BYTES) this.#join();
      if (this.#open.length === 0) this.#open = Buffer.allocUnsafe(JOIN_BYTES);
      piece.copy(this.#open, this.#openBytes);
      this.#openBytes += size;
      return;
    }
    this.#join();
    this.#pieces.push(piece);
  }

  /** All pieces as one source. Closing it does not close the sources it reads from. */
  source(name: string): ConcatSource {
    this.#join();
    return new ConcatSource(name, this.#pieces);
  }

  #join(): void {
    if (this.#openBytes === 0) return;
    const joined = this.#open.subarray(0, this.#openBytes);
    // Between ranges of sources the pieces in memory are short, and must not hold a whole buffer each.
    if (this.#openBytes < JOIN_BYTES / 2) this.#pieces.push(Buffer.from(joined));
    else {
      this.#pieces.push(joined);
      this.#open = Buffer.alloc(0);
    }
    this.#openBytes = 0;
  }
}

/** Concatenated pieces, read as one file. */
export class ConcatSource implements ByteSource {
  readonly size: number;
  readonly #starts: Float64Array;

  constructor(
    readonly name: string,
    readonly pieces: readonly Piece[],
  ) {
    this.#starts = new Float64Array(pieces.length);
    let at = 0;
    for (const [i, piece] of pieces.entries()) {
      this.#starts[i] = at;
      at += pieceSize(piece);
    }
    this.size = at;
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const out = Buffer.alloc(size);
    let done = 0;
    for (let i = this.#pieceAt(offset); done < size; i++) {
      const piece = this.pieces[i] as Piece;
      const skip = offset + done - (this.#starts[i] as number);
      const length = Math.min(pieceSize(piece) - skip, size - done);
      if (Buffer.isBuffer(piece)) piece.copy(out, done, skip, skip + length);
      else if ("source" in piece) piece.source.read(piece.offset + skip, length).copy(out, done);
      done += length;
    }
    return out;
  }

  close(): void {}

  #pieceAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
