import { READ_WINDOW_BYTES } from "./limits.js";
import type { ByteSource } from "./source.js";

/** Forward reads of a source through one buffer, so that skipping over small records costs few system calls. */
export class ReadWindow {
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(readonly source: ByteSource) {}

  /** Bytes [offset, offset + size) of the source; FormatError TRUNCATED beyond its end. */
  read(offset: number, size: number): Buffer {
    const at = offset - this.#start;
    if (at >= 0 && at + size <= this.#bytes.length) return this.#bytes.subarray(at, at + size);
    const want = Math.max(size, Math.min(READ_WINDOW_BYTES, this.source.size - offset));
    this.#bytes = this.source.read(offset, want);
    this.#start = offset;
    return this.#bytes.subarray(0, size);
  }
}
