import fs from "node:fs";
import { FormatError, ioError } from "./errors.js";

/** Bytes that can be read at any offset without being held in memory. Offsets and sizes are in bytes. */
export interface ByteSource {
  /** Name for messages: the file's path as the user knows it. */
  readonly name: string;
  readonly size: number;
  /** Exactly `size` bytes from `offset`; FormatError TRUNCATED when the source ends before. */
  read(offset: number, size: number): Buffer;
  close(): void;
}

/** A regular file, opened at the first read. */
export class FileSource implements ByteSource {
  readonly size: number;
  #fd: number | undefined;

  constructor(
    readonly path: string,
    readonly name: string = path,
  ) {
    try {
      const stat = fs.statSync(path);
      if (!stat.isFile()) throw new FormatError("INVALID", "not a regular file", { file: name });
      this.size = stat.size;
    } catch (error) {
      throw error instanceof FormatError ? error : ioError("open it", name, error);
    }
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const buffer = Buffer.allocUnsafe(size);
    let done = 0;
    try {
      this.#fd ??= fs.openSync(this.path, "r");
      while (done < size) {
        const got = fs.readSync(this.#fd, buffer, done, size - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      throw ioError("read it", this.name, error);
    }
    if (done < size)
      throw new FormatError("TRUNCATED", "the file became shorter while it was read", {
        file: this.name,
        offset: offset + done,
      });
    return buffer;
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** Bytes that are in memory already. Reads share the memory. */
export class MemorySource implements ByteSource {
  constructor(
    readonly bytes: Buffer,
    readonly name: string,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    return this.bytes.subarray(offset, offset + size);
  }

  close(): void {}
}

/** FormatError TRUNCATED when [offset, offset + size) is not inside the source. */
export function checkRange(source: ByteSource, offset: number, size: number): void {
  if (offset + size > source.size)
    throw new FormatError(
      "TRUNCATED",
      `truncated: ${size} bytes expected, ${Math.max(0, source.size - offset)} left`,
      { file: source.name, offset },
    );
}
