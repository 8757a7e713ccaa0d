import fs from "node:fs";
import { FormatError, ioError } from "./errors.js";
import { irregularError, irregularSort } from "./file-sort.js";

/** Bytes that can be read at any offset without being held in memory. Offsets and sizes are in bytes. */
export interface ByteSource {
  /** Name for messages: the file's path as given by the user. */
  readonly name: string;
  readonly size: number;
  /** Exactly `size` bytes from `offset`; FormatError TRUNCATED if the source ends before. */
  read(offset: number, size: number): Buffer;
  close(): void;
}

/** Flags for opening a file in an untrusted directory: no symbolic link is followed, a FIFO does not block. */
const NO_FOLLOW = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** A regular file, opened at the first read. Without `follow` a symbolic link at its name is an error. */
export class FileSource implements ByteSource {
  readonly size: number;
  #fd: number | undefined;

  constructor(
    readonly path: string,
    readonly name: string = path,
    private readonly options: { readonly follow: boolean } = { follow: true },
  ) {
    try {
      const stat = options.follow ? fs.statSync(path) : fs.lstatSync(path);
      const sort = irregularSort(stat);
      if (sort !== undefined) throw irregularError(sort, name);
      this.size = stat.size;
    } catch (error) {
      throw error instanceof FormatError ? error : ioError("open", name, error);
    }
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const buffer = Buffer.allocUnsafe(size);
    let done = 0;
    try {
      this.#fd ??= this.#openFile();
      while (done < size) {
        const got = fs.readSync(this.#fd, buffer, done, size - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      throw error instanceof FormatError ? error : ioError("read", this.name, error);
    }
    if (done < size)
      throw new FormatError("TRUNCATED", "the file was truncated while being read", {
        file: this.name,
        offset: offset + done,
      });
    return buffer;
  }

  /** The name may refer to another file by now. */
  #openFile(): number {
    if (this.options.follow) return fs.openSync(this.path, "r");
    const fd = fs.openSync(this.path, NO_FOLLOW);
    const sort = irregularSort(fs.fstatSync(fd));
    if (sort === undefined) return fd;
    fs.closeSync(fd);
    throw irregularError(sort, this.name);
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
      `truncated: found ${Math.max(0, source.size - offset)} bytes (expected ${size})`,
      { file: source.name, offset },
    );
}
