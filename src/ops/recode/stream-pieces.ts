import { UsageError } from "../../io/errors.js";
import type { ByteSource } from "../../io/source.js";
import { ValueError } from "../../schema/encode.js";

/** Bytes are put together to blocks of this size, and pages are copied in such. */
const BLOCK = 1024 * 1024;

/** The bytes of an image that is being made, in order; pages that another image holds are copied from there at the end. */
export class StreamPieces implements Iterable<Buffer> {
  readonly #pieces: (Buffer | { readonly offset: number; readonly size: number })[] = [];
  #block: Buffer = Buffer.alloc(BLOCK);
  #used = 0;
  #size = 0;

  constructor(private readonly pagesFrom: ByteSource | undefined) {}

  /** Of all that was added, in bytes. */
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

  /** Bytes of the image that pages were left in. Errors: UsageError when it was not named, ValueError beyond its end. */
  pages(offset: number, size: number): void {
    if (this.pagesFrom === undefined)
      throw new UsageError("the pages were left in the image: name it with --pages-from IMAGE");
    if (offset + size > this.pagesFrom.size)
      throw new ValueError(
        `${this.pagesFrom.name} has ${this.pagesFrom.size} bytes; these pages would end at ${offset + size}`,
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
