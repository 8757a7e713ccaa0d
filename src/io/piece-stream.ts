import type { Piece, SourceRange } from "./concat.js";
import { FormatError } from "./errors.js";
import { SliceSource } from "./slice-source.js";
import type { ByteSource } from "./source.js";
import { SplicedSource } from "./splice.js";

/** The bytes of a source; those of a file that was spliced, or cut out of a larger one, as ranges of the latter. */
export function piecesOf(content: ByteSource): Piece[] {
  if (!(content instanceof SplicedSource)) return [rangeOf(content, 0, content.size)];
  const pieces: Piece[] = [];
  let at = 0;
  for (const { offset, size, bytes } of content.splices) {
    pieces.push(rangeOf(content.base, at, offset - at), bytes);
    at = offset + size;
  }
  return [...pieces, rangeOf(content.base, at, content.base.size - at)];
}

function rangeOf(source: ByteSource, offset: number, size: number): SourceRange {
  return source instanceof SliceSource
    ? rangeOf(source.base, source.start + offset, size)
    : { source, offset, size };
}

const ZEROS = Buffer.alloc(64 * 1024);
const CHUNK = 1024 * 1024;

/**
 * The bytes of pieces. Those of `base` are taken from `chunks`, which are all of its bytes in order: they are read once,
 * and none is kept. Errors: those of the sources; FormatError TRUNCATED when the chunks end early.
 */
export function* chunksOfPieces(
  pieces: readonly Piece[],
  base: ByteSource,
  chunks: Iterable<Buffer>,
): Generator<Buffer> {
  const stream = new ChunkStream(base.name, chunks);
  try {
    for (const piece of pieces) {
      if (Buffer.isBuffer(piece)) yield piece;
      else if ("zeros" in piece)
        for (let done = 0; done < piece.zeros; done += ZEROS.length)
          yield ZEROS.subarray(0, Math.min(ZEROS.length, piece.zeros - done));
      else if (piece.source === base && stream.at <= piece.offset) yield* stream.range(piece);
      else
        for (let done = 0; done < piece.size; done += CHUNK)
          yield piece.source.read(piece.offset + done, Math.min(CHUNK, piece.size - done));
    }
    stream.finish();
  } finally {
    stream.close();
  }
}

/** Chunks that are read forward, any range of them. */
class ChunkStream {
  #chunk: Buffer = Buffer.alloc(0);
  readonly #chunks: Iterator<Buffer>;
  at = 0;

  constructor(
    private readonly name: string,
    chunks: Iterable<Buffer>,
  ) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  *range({ offset, size }: SourceRange): Generator<Buffer> {
    const end = offset + size;
    while (this.at < end) {
      if (this.#chunk.length === 0 && !this.#next())
        throw new FormatError("TRUNCATED", "the data ended early while it was read again", {
          file: this.name,
          offset: this.at,
        });
      const skip = Math.min(Math.max(0, offset - this.at), this.#chunk.length);
      const taken = Math.min(this.#chunk.length, end - this.at);
      if (taken > skip) yield this.#chunk.subarray(skip, taken);
      this.#chunk = this.#chunk.subarray(taken);
      this.at += taken;
    }
  }

  /** Reads to the end, so that a checksum there is compared. */
  finish(): void {
    while (this.#next());
  }

  close(): void {
    this.#chunks.return?.();
  }

  #next(): boolean {
    const { done, value } = this.#chunks.next();
    if (done === true) return false;
    this.#chunk = value;
    return true;
  }
}
