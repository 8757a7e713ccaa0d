import { type ByteSource, FileSource } from "./source.js";

const BLOCK_BYTES = 16 * 1024;
const BLOCKS = 16;

/**
 * Small reads of a file through a few cached blocks, so that reading it in order, or in a few places at once, costs one
 * system call per block. Larger reads, and sources in memory, are not cached.
 */
export class BlockReader {
  readonly #numbers = new Array<number>(BLOCKS).fill(-1);
  readonly #blocks = new Array<Buffer>(BLOCKS);
  readonly #isFile: boolean;

  constructor(readonly source: ByteSource) {
    this.#isFile = source instanceof FileSource;
  }

  /** As `ByteSource.read`. */
  read(offset: number, size: number): Buffer {
    const number = Math.floor(offset / BLOCK_BYTES);
    const start = number * BLOCK_BYTES;
    if (!this.#isFile || offset + size > start + BLOCK_BYTES) return this.source.read(offset, size);
    const slot = number % BLOCKS;
    if (this.#numbers[slot] !== number) {
      this.#blocks[slot] = this.source.read(start, Math.min(BLOCK_BYTES, this.source.size - start));
      this.#numbers[slot] = number;
    }
    const block = this.#blocks[slot] as Buffer;
    if (offset + size > start + block.length) return this.source.read(offset, size);
    return block.subarray(offset - start, offset - start + size);
  }
}
