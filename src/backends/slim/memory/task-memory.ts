import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { TASK_SIZE } from "../../../linux/mman.js";
import { SYS } from "../sys/abi-x64.js";
import { addressOf, attempt } from "../sys/syscall.js";

/** UIO_MAXIOV of linux/uio.h, and bytes of a struct iovec. */
const MAX_RANGES = 1024;
const IOVEC_BYTES = 16;

/**
 * The memory of a stopped process as bytes, by /proc/PID/mem: pages that it shares with others copy-on-write, as after
 * fork(2), stay shared.
 */
export class TaskMemory implements ByteSource {
  readonly size = TASK_SIZE;
  readonly name: string;
  readonly #file: number;

  constructor(readonly pid: number) {
    this.name = `/proc/${pid}/mem`;
    this.#file = fs.openSync(this.name, "r");
  }

  read(offset: number, size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    this.readInto(bytes, 0, offset, size);
    return bytes;
  }

  /** Puts `size` bytes from an address at a place of `bytes`. Errors: BackendError naming the task and the address. */
  readInto(bytes: Buffer, at: number, address: number, size: number): void {
    for (let done = 0; done < size; ) {
      const got = this.#readAt(bytes, at + done, size - done, address + done);
      if (got === 0) throw new BackendError(`task ${this.pid} ended while its memory was read`);
      done += got;
    }
  }

  close(): void {
    fs.closeSync(this.#file);
  }

  #readAt(bytes: Buffer, at: number, size: number, address: number): number {
    try {
      return fs.readSync(this.#file, bytes, at, size, address);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new BackendError(
        `cannot read the memory of task ${this.pid} at 0x${address.toString(16)} (${size} bytes): ${code}`,
        { cause },
      );
    }
  }
}

/**
 * The same for pages that no other process has, many ranges at once by process_vm_readv(2). It pins pages meanwhile, and
 * since Linux 5.19 the kernel copies a page first that is shared copy-on-write.
 */
export class UnsharedMemory implements ByteSource {
  readonly size = TASK_SIZE;
  readonly name: string;
  /** struct iovec each, as halves of 64 bits. */
  readonly #remote = new Uint32Array((MAX_RANGES * IOVEC_BYTES) / 4);
  readonly #local = Buffer.alloc(IOVEC_BYTES);
  #count = 0;
  #start = 0;
  #size = 0;

  constructor(readonly memory: TaskMemory) {
    this.name = memory.name;
  }

  read(offset: number, size: number): Buffer {
    return this.memory.read(offset, size);
  }

  /** Notes that bytes of the task are wanted at a place of `bytes`; `gather` reads what was noted, many ranges at once. */
  want(address: number, size: number, bytes: Buffer, at: number): void {
    if (this.#count === MAX_RANGES || at !== this.#start + this.#size) this.gather(bytes);
    if (this.#count === 0) this.#start = at;
    const entry = this.#count++ * 4;
    this.#remote[entry] = address;
    this.#remote[entry + 1] = address / 2 ** 32;
    this.#remote[entry + 2] = size;
    this.#size += size;
  }

  gather(bytes: Buffer): void {
    if (this.#count === 0) return;
    this.#local.writeBigUInt64LE(addressOf(bytes) + BigInt(this.#start), 0);
    this.#local.writeBigUInt64LE(BigInt(this.#size), 8);
    const remote = Buffer.from(this.#remote.buffer);
    const got = attempt(SYS.process_vm_readv, this.memory.pid, this.#local, 1, remote, this.#count, 0);
    // Areas that may not be read end it early; the file of the memory knows no such limit.
    if (got !== this.#size) this.#readRest(bytes, Math.max(0, got));
    this.#count = 0;
    this.#size = 0;
  }

  /** The memory is closed by whom it belongs to. */
  close(): void {}

  #readRest(bytes: Buffer, got: number): void {
    let at = 0;
    for (let entry = 0; entry < this.#count * 4; entry += 4) {
      const [low = 0, high = 0, size = 0] = this.#remote.subarray(entry, entry + 3);
      if (at + size > got) this.memory.readInto(bytes, this.#start + at, high * 2 ** 32 + low, size);
      at += size;
    }
  }
}
