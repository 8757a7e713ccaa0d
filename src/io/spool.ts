import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "./digest.js";
import { ioError, isCrimgError } from "./errors.js";
import { createPrivate } from "./private-file.js";
import { type ByteSource, checkRange } from "./source.js";
import { removeAbandoned, temporaryName } from "./temporary.js";

const CHUNK = 1024 * 1024;

/**
 * All bytes of a pipe or another source, in an unlinked file, so that nothing is left behind.
 */
export class SpoolSource implements ByteSource {
  readonly #fd: number;
  readonly size: number;
  /** Descriptor that the bytes were read from; undefined for another source. */
  readonly pipe: number | undefined;

  /** A path to it for this process, below /proc. */
  get path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Reads `from`, a descriptor, a source or chunks, to its end. Errors: IO, also for a full disk; those of the source. */
  constructor(
    from: number | ByteSource | Iterable<Buffer>,
    readonly name: string,
    directory: string,
  ) {
    this.#fd = unnamedFile(directory);
    this.pipe = typeof from === "number" ? from : undefined;
    this.size = this.#fill(
      typeof from === "number" ? chunksOfPipe(from) : Symbol.iterator in from ? from : chunksOf(from),
    );
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const buffer = Buffer.allocUnsafe(size);
    for (let done = 0; done < size; ) done += fs.readSync(this.#fd, buffer, done, size - done, offset + done);
    return buffer;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #fill(chunks: Iterable<Buffer>): number {
    let size = 0;
    try {
      for (const chunk of chunks) {
        writeAt(this.#fd, chunk, size);
        size += chunk.length;
      }
      return size;
    } catch (error) {
      fs.closeSync(this.#fd);
      throw isCrimgError(error) ? error : ioError("spool the input", this.name, error);
    }
  }
}

/** A private file in `directory` that has lost its name already, so that nothing is left behind. Errors: IO. */
export function unnamedFile(directory: string): number {
  const file = path.join(directory, temporaryName("spool"));
  try {
    removeAbandoned(directory, "spool");
    const fd = createPrivate(file);
    fs.unlinkSync(file);
    return fd;
  } catch (error) {
    throw ioError("spool the input", directory, error);
  }
}

/** Writes all of `bytes` at `offset`. Errors: those of write(2). */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; )
    done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** All chunks share one buffer. */
function* chunksOfPipe(fd: number): Generator<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const got = readSome(fd, chunk);
    if (got === 0) return;
    yield chunk.subarray(0, got);
  }
}

/** A non-blocking terminal or pipe has no data yet. */
function readSome(fd: number, chunk: Buffer): number {
  for (;;) {
    try {
      return fs.readSync(fd, chunk, 0, chunk.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
