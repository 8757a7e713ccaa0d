import fs from "node:fs";
import os from "node:os";
import { ByteRanges } from "./byte-ranges.js";
import { FormatError, ioError, isCrimgError } from "./errors.js";
import { MAX_UNPACKED_GAP_BYTES, MAX_UNPACKED_KEPT_BYTES } from "./limits.js";
import { SliceSource } from "./slice-source.js";
import type { ByteSource } from "./source.js";
import { unnamedFile, writeAt } from "./spool.js";

/** Where the bytes of a source are in a file that this process can open. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/**
 * The bytes of a stream that can be started again, such as decompressed data, read at any offset. What was read, and small
 * parts that were passed over on the way, is kept in an unnamed file at the same offset; for what was not kept the stream
 * is started again. `size` is valid once the end was reached.
 */
export class UnpackedSource implements ByteSource {
  #kept = new ByteRanges();
  #keptBytes = 0;
  #fd: number | undefined;
  #stream: Iterator<Buffer> | undefined;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #end: number | undefined;
  #isFirstPass = true;

  /** `start` begins the stream; each of its chunks is valid until the next one. */
  constructor(
    readonly name: string,
    private readonly start: () => Iterator<Buffer>,
  ) {}

  get size(): number {
    return this.#end ?? Number.MAX_SAFE_INTEGER;
  }

  read(offset: number, size: number): Buffer {
    this.fill(offset, offset + size);
    const buffer = Buffer.allocUnsafe(size);
    const fd = this.#file();
    for (let done = 0; done < size; ) done += fs.readSync(fd, buffer, done, size - done, offset + done);
    return buffer;
  }

  /** Whether [start, end) can be read without starting the stream again. */
  isNear(start: number, end: number): boolean {
    const missing = this.#kept.firstMissing(start, end);
    return missing === end || (this.#stream !== undefined && missing >= this.#at);
  }

  /** Keeps all of it, so that its size is known. Errors: as `fill`. */
  fillAll(): void {
    this.#restart();
    while (this.#next()) this.#take(this.#chunk.length, 0);
  }

  /** Reads to `end` if there is as much, keeping nothing more than is near: checks that the stream ends well. */
  reach(end: number): void {
    while (this.#at < end && this.#next())
      this.#take(Math.min(this.#chunk.length, end - this.#at), Number.POSITIVE_INFINITY);
  }

  /** Keeps [start, end). Errors: FormatError TRUNCATED when the stream ends before; those of the stream; IO. */
  fill(start: number, end: number): void {
    if (this.has(start, end)) return;
    throw new FormatError(
      "TRUNCATED",
      `truncated: found ${Math.max(0, (this.#end ?? 0) - start)} bytes (expected ${end - start})`,
      { file: this.name, offset: start },
    );
  }

  /** Keeps what there is of [start, end); whether it is all there. `size` is known when not. Errors: as `fill`. */
  has(start: number, end: number): boolean {
    if (this.#end !== undefined && end > this.#end) return false;
    const missing = this.#kept.firstMissing(start, end);
    if (missing === end) return true;
    if (this.#stream === undefined || missing < this.#at) this.#restart();
    const gap = missing - this.#at;
    const keepsGap =
      this.#isFirstPass && gap <= MAX_UNPACKED_GAP_BYTES && this.#keptBytes + gap <= MAX_UNPACKED_KEPT_BYTES;
    const keepFrom = keepsGap ? this.#at : missing;
    while (this.#at < end) {
      if (!this.#next()) return false;
      this.#take(Math.min(this.#chunk.length, end - this.#at), keepFrom);
    }
    return true;
  }

  /** All of it, as a range of a file. */
  wholeFile(start: number, size: number): FileRange {
    this.fill(start, start + size);
    return { path: `/proc/self/fd/${this.#file()}`, offset: start, size };
  }

  close(): void {
    this.#restart();
    this.#kept = new ByteRanges();
    this.#keptBytes = 0;
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Makes sure that the current chunk has bytes; false at the end. */
  #next(): boolean {
    this.#stream ??= this.start();
    while (this.#chunk.length === 0) {
      const { done, value } = this.#stream.next();
      if (done) {
        this.#end = this.#at;
        return false;
      }
      this.#chunk = value;
    }
    return true;
  }

  /** Passes over `size` bytes of the current chunk, and keeps those from `keepFrom` on. */
  #take(size: number, keepFrom: number): void {
    const skip = Math.min(size, Math.max(0, keepFrom - this.#at));
    const bytes = this.#chunk.subarray(skip, size);
    if (bytes.length > 0) {
      try {
        writeAt(this.#file(), bytes, this.#at + skip);
      } catch (error) {
        throw isCrimgError(error) ? error : ioError("spool the decompressed bytes", this.name, error);
      }
      this.#kept.add(this.#at + skip, this.#at + size);
      this.#keptBytes += bytes.length;
    }
    this.#chunk = this.#chunk.subarray(size);
    this.#at += size;
  }

  #restart(): void {
    if (this.#at > 0) this.#isFirstPass = false;
    this.#stream?.return?.();
    this.#stream = undefined;
    this.#chunk = Buffer.alloc(0);
    this.#at = 0;
  }

  #file(): number {
    this.#fd ??= unnamedFile(os.tmpdir());
    return this.#fd;
  }
}

/** Whether to read a source means to decompress what was passed over already once more. */
export function isFar(source: ByteSource): boolean {
  let [base, start]: [ByteSource, number] = [source, 0];
  while (base instanceof SliceSource) [base, start] = [base.base, start + base.start];
  return base instanceof UnpackedSource && !base.isNear(start, start + source.size);
}

/** Whether a source has the bytes up to `end`, of which [start, end) are read next. Errors: those of the source. */
export function reaches(source: ByteSource, start: number, end: number): boolean {
  return source instanceof UnpackedSource ? source.has(start, end) : source.size >= end;
}
