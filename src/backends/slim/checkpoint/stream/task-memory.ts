import fs from "node:fs";
import type { ByteSource } from "../../../../io/source.js";
import { SYS, TASK_SIZE } from "../../sys/abi-x64.js";
import { addressOf, attempt } from "../../sys/syscall.js";

/** UIO_MAXIOV of linux/uio.h, and bytes of a struct iovec. */
const MOST_RANGES = 1024;
const IOVEC_BYTES = 16;

/** Where bytes of a task stand, and where in a buffer they are to be. */
export interface Gathered {
  readonly address: number;
  readonly size: number;
  readonly at: number;
}

/** The memory of a stopped process as bytes. */
export class TaskMemory implements ByteSource {
  readonly size = TASK_SIZE;
  readonly name: string;
  readonly #file: number;
  readonly #remote = Buffer.alloc(MOST_RANGES * IOVEC_BYTES);
  readonly #local = Buffer.alloc(IOVEC_BYTES);

  constructor(readonly pid: number) {
    this.name = `/proc/${pid}/mem`;
    this.#file = fs.openSync(this.name, "r");
  }

  read(offset: number, size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    this.#readInto(bytes, 0, offset, size);
    return bytes;
  }

  /** Reads many ranges at once; neighbours in the list stand one behind the other in `bytes`. */
  gather(bytes: Buffer, ranges: readonly Gathered[]): void {
    const base = addressOf(bytes);
    for (let first = 0; first < ranges.length; ) {
      const { at: start } = ranges[first] as Gathered;
      let count = 0;
      let size = 0;
      for (; count < MOST_RANGES && first + count < ranges.length; count++) {
        const range = ranges[first + count] as Gathered;
        if (range.at !== start + size) break;
        this.#remote.writeBigUInt64LE(BigInt(range.address), count * IOVEC_BYTES);
        this.#remote.writeBigUInt64LE(BigInt(range.size), count * IOVEC_BYTES + 8);
        size += range.size;
      }
      this.#local.writeBigUInt64LE(base + BigInt(start), 0);
      this.#local.writeBigUInt64LE(BigInt(size), 8);
      const got = attempt(SYS.process_vm_readv, this.pid, this.#local, 1, this.#remote, count, 0);
      // Areas that may not be read end it early; the file of the memory knows no such limit.
      if (got !== size)
        for (const { at, address, size: length } of ranges.slice(first, first + count))
          if (at + length > start + Math.max(0, got)) this.#readInto(bytes, at, address, length);
      first += count;
    }
  }

  close(): void {
    fs.closeSync(this.#file);
  }

  #readInto(bytes: Buffer, at: number, address: number, size: number): void {
    for (let done = 0; done < size; )
      done += fs.readSync(this.#file, bytes, at + done, size - done, address + done);
  }
}
