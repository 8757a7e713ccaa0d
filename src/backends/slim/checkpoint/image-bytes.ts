import { ScatteredPages } from "../../../formats/linux-cr/stream-writer.js";
import { ConcatSource, type Piece, pieceSize } from "../../../io/concat.js";
import { chunksOf } from "../../../io/digest.js";
import type { ByteSource } from "../../../io/source.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { TaskMemory } from "./stream/task-memory.js";

/** Fits into the cache of the processor, where bytes are copied to and from. */
const CHUNK = 512 * 1024;

/** All bytes of an image; each chunk must be used before the next is asked for. Pages of one task are read many at once. */
export function* imageBytes(image: ByteSource): Generator<Buffer> {
  if (!(image instanceof ConcatSource)) {
    yield* chunksOf(image);
    return;
  }
  const bytes = Buffer.allocUnsafe(CHUNK);
  let used = 0;
  let memory: TaskMemory | undefined;
  for (const piece of parts(image.pieces)) {
    const size = pieceSize(piece);
    for (let done = 0; done < size; ) {
      if (used === CHUNK) {
        memory?.gather(bytes);
        yield bytes;
        used = 0;
      }
      const length = Math.min(size - done, CHUNK - used);
      if (Buffer.isBuffer(piece)) piece.copy(bytes, used, done, done + length);
      else if ("zeros" in piece) bytes.fill(0, used, used + length);
      else if (piece.source instanceof TaskMemory) {
        if (piece.source !== memory) memory?.gather(bytes);
        memory = piece.source;
        memory.want(piece.offset + done, length, bytes, used);
      } else piece.source.read(piece.offset + done, length).copy(bytes, used);
      used += length;
      done += length;
    }
  }
  memory?.gather(bytes);
  if (used > 0) yield bytes.subarray(0, used);
}

/** Pieces with the runs of scattered pages in their place. */
function* parts(pieces: readonly Piece[]): Generator<Piece> {
  for (const piece of pieces)
    if ("source" in piece && piece.source instanceof ScatteredPages)
      for (const { from, pages } of piece.source.runs)
        yield from === undefined
          ? { zeros: pages * PAGE_SIZE }
          : { source: from.source, offset: from.offset, size: pages * PAGE_SIZE };
    else yield piece;
}
