import { ConcatSource, pieceSize } from "../../../io/concat.js";
import { chunksOf } from "../../../io/digest.js";
import type { ByteSource } from "../../../io/source.js";
import { type Gathered, TaskMemory } from "./stream/task-memory.js";

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
  let wanted: Gathered[] = [];
  const gather = (): void => {
    memory?.gather(bytes, wanted);
    wanted = [];
  };
  for (const piece of image.pieces) {
    const size = pieceSize(piece);
    for (let done = 0; done < size; ) {
      if (used === CHUNK) {
        gather();
        yield bytes;
        used = 0;
      }
      const length = Math.min(size - done, CHUNK - used);
      if (Buffer.isBuffer(piece)) piece.copy(bytes, used, done, done + length);
      else if ("zeros" in piece) bytes.fill(0, used, used + length);
      else if (piece.source instanceof TaskMemory) {
        if (piece.source !== memory) gather();
        memory = piece.source;
        wanted.push({ address: piece.offset + done, size: length, at: used });
      } else piece.source.read(piece.offset + done, length).copy(bytes, used);
      used += length;
      done += length;
    }
  }
  gather();
  if (used > 0) yield bytes.subarray(0, used);
}
