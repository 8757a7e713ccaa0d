import { READ_WINDOW_BYTES } from "./limits.js";
import type { ByteSource } from "./source.js";

/** Forward reads of a source through one buffer, so that skipping over small records costs few system calls. */
export class ReadWindow {
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #reused: Buffer | undefined;

  /** With `reuses`, bytes are valid until the next read: much is read, and nothing kept. */
  constructor(
    readonly source: ByteSource,
    private readonly reuses = false,
  ) {}

  /** Bytes [offset, offset + size) of the source; FormatError TRUNCATED beyond its end. */
  read(offset: number, size: number): Buffer {
    const at = offset - this.#start;
    if (at >= 0 && at + size <= this.#bytes.length) return this.#bytes.subarray(at, at + size);
    const want = Math.max(size, Math.min(READ_WINDOW_BYTES, this.source.size - offset));
    this.#bytes = this.#read(offset, want);
    this.#start = offset;
    return this.#bytes.subarray(0, size);
  }

  #read(offset: number, size: number): Buffer {
    const { source } = this;
    if (!this.reuses || source.readOver === undefined || size > READ_WINDOW_BYTES)
      return source.read(offset, size);
    this.#reused ??= Buffer.allocUnsafeSlow(READ_WINDOW_BYTES);
    const bytes = this.#reused.subarray(0, size);
    // What was read before is gone, also if this fails.
    this.#bytes = bytes.subarray(0, 0);
    source.readOver(bytes, offset);
    return bytes;
  }
}
