import fs from "node:fs";
import { FormatError, ioError, UnsupportedError } from "./errors.js";
import type { ByteSource } from "./source.js";

/** Default capacity of pipes on Linux. */
const CHUNK_BYTES = 64 * 1024;

interface Segment {
  readonly start: number;
  readonly bytes: Buffer;
}

/**
 * Bytes that arrive once, in order. What was read stays readable, except for skipped ranges, so that an image larger than
 * memory can be read. `size` is valid once the end was reached.
 */
export class PipeSource implements ByteSource {
  #segments: Segment[] = [];
  #read = 0;
  #ended = false;

  constructor(
    readonly fd: number,
    readonly name: string,
  ) {}

  get size(): number {
    return this.#ended ? this.#read : Number.MAX_SAFE_INTEGER;
  }

  /** Reads up to `end`; returns how far the bytes go, less than `end` only if the pipe ended before. */
  reach(end: number): number {
    while (this.#read < end && !this.#ended) {
      const chunk = this.#next(CHUNK_BYTES);
      if (chunk.length > 0) this.#segments.push({ start: this.#read - chunk.length, bytes: chunk });
    }
    return Math.min(end, this.#read);
  }

  /** As `reach`, but bytes from `start` on are not kept. */
  pass(start: number, end: number): number {
    const kept = this.#segments.findLastIndex((segment) => segment.start <= start);
    const tail = this.#segments.splice(Math.max(0, kept));
    for (const segment of tail) this.#keepOutside(segment, start, end);
    while (this.#read < end && !this.#ended) this.#next(Math.min(CHUNK_BYTES, end - this.#read));
    return Math.min(end, this.#read);
  }

  /** All bytes in chunks, which are not kept. */
  *all(): Generator<Buffer> {
    for (let at = 0; ; ) {
      const end = this.reach(at + CHUNK_BYTES);
      if (end === at) return;
      yield this.read(at, end - at);
      this.pass(at, end);
      at = end;
    }
  }

  read(offset: number, size: number): Buffer {
    const end = this.reach(offset + size);
    if (end < offset + size)
      throw new FormatError(
        "TRUNCATED",
        `truncated: found ${Math.max(0, end - offset)} bytes (expected ${size})`,
        { file: this.name, offset },
      );
    const first = this.#find(offset);
    const segment = this.#segments[first];
    if (segment !== undefined && offset + size <= segment.start + segment.bytes.length)
      return segment.bytes.subarray(offset - segment.start, offset - segment.start + size);
    return this.#assemble(first, offset, size);
  }

  close(): void {
    this.#segments = [];
  }

  #assemble(first: number, offset: number, size: number): Buffer {
    const out = Buffer.allocUnsafe(size);
    let at = offset;
    for (let i = first; at < offset + size; i++) {
      const segment = this.#segments[i];
      if (segment === undefined || at < segment.start || at >= segment.start + segment.bytes.length)
        throw new UnsupportedError("memory of a piped image is not kept; use a file", {
          file: this.name,
          offset: at,
        });
      at += segment.bytes.copy(out, at - offset, at - segment.start);
    }
    return out;
  }

  /** The last segment that starts at or before `offset`; nearly always the last one. */
  #find(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    if ((this.#segments[high]?.start ?? 0) <= offset) return Math.max(0, high);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle] as Segment).start <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #keepOutside({ start, bytes }: Segment, from: number, to: number): void {
    const head = bytes.subarray(0, Math.max(0, from - start));
    const tail = bytes.subarray(Math.min(bytes.length, Math.max(0, to - start)));
    // Small remainders are copied; otherwise each would hold its whole chunk.
    const keep = (part: Buffer): Buffer => (part.length * 2 < CHUNK_BYTES ? Buffer.from(part) : part);
    if (head.length > 0) this.#segments.push({ start, bytes: keep(head) });
    if (tail.length > 0)
      this.#segments.push({ start: start + bytes.length - tail.length, bytes: keep(tail) });
  }

  #next(limit: number): Buffer {
    const chunk = Buffer.allocUnsafe(limit);
    for (;;) {
      try {
        const got = fs.readSync(this.fd, chunk, 0, limit, null);
        this.#ended = got === 0;
        this.#read += got;
        return chunk.subarray(0, got);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EOF") {
          this.#ended = true;
          return chunk.subarray(0, 0);
        }
        if (code !== "EAGAIN") throw ioError("read", this.name, error);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }
}
