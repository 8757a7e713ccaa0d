import { UsageError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import { ValueError } from "../../schema/encode.js";

/** Bytes are joined into blocks of this size, and pages are copied in such blocks. */
const BLOCK = 1024 * 1024;

/** The bytes of an image being written, in order; pages of another image are copied at the end. */
export class StreamPieces implements Iterable<Buffer> {
  readonly #pieces: (Buffer | { readonly offset: number; readonly size: number })[] = [];
  #block: Buffer = Buffer.alloc(BLOCK);
  #used = 0;
  #size = 0;

  constructor(private readonly pagesFrom: ByteSource | undefined) {}

  /** Total size in bytes. */
  get size(): number {
    return this.#size;
  }

  bytes(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#used + bytes.length > BLOCK) this.#flush();
    if (bytes.length > BLOCK / 4) {
      this.#flush();
      this.#pieces.push(bytes);
      return;
    }
    bytes.copy(this.#block, this.#used);
    this.#used += bytes.length;
  }

  /** Bytes of the image with the pages. Errors: UsageError if it was not given, ValueError beyond its end. */
  pages(offset: number, size: number): void {
    if (this.pagesFrom === undefined) throw new UsageError("the JSON has no pages; use --pages-from IMAGE");
    if (offset + size > this.pagesFrom.size)
      throw new ValueError(
        `pages end at byte ${offset + size}, beyond the end of ${this.pagesFrom.name} (${this.pagesFrom.size} bytes)`,
      );
    this.#flush();
    this.#pieces.push({ offset, size });
    this.#size += size;
  }

  *[Symbol.iterator](): Generator<Buffer> {
    this.#flush();
    for (const piece of this.#pieces) {
      if (Buffer.isBuffer(piece)) {
        yield piece;
        continue;
      }
      for (let done = 0; done < piece.size; done += BLOCK)
        yield (this.pagesFrom as ByteSource).read(piece.offset + done, Math.min(BLOCK, piece.size - done));
    }
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pieces.push(Buffer.from(this.#block.subarray(0, this.#used)));
    this.#used = 0;
  }
}
