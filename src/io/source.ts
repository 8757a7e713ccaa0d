import fs from "node:fs";
import { EditError, FormatError, ioError, isCrimgError } from "./errors.js";
import { irregularError, irregularSort } from "./file-sort.js";
import { MAX_OPEN_FILES } from "./limits.js";

/** Bytes that can be read at any offset without being held in memory. Offsets and sizes are in bytes. */
export interface ByteSource {
  /** Name for messages: the file's path as given by the user. */
  readonly name: string;
  readonly size: number;
  /** The same for two names of one file; undefined for what has one name, or none. */
  readonly linked?: string | undefined;
  /** Exactly `size` bytes from `offset`; FormatError TRUNCATED if the source ends before. */
  read(offset: number, size: number): Buffer;
  /** As `read`, into memory that is there already. */
  readOver?(into: Buffer, offset: number): void;
  close(): void;
}

/** Fills `into` with bytes of a source from `offset` on. Errors: those of `read`. */
export function readOver(source: ByteSource, into: Buffer, offset: number): void {
  if (source.readOver !== undefined) source.readOver(into, offset);
  else source.read(offset, into.length).copy(into);
}

/** The message of a reader when an edit replaced the file. */
export const CHANGED = "the image was changed while it was read; run the command again";

/** A FIFO that took the place of a file does not block. */
const NO_BLOCK = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
/** For files in an untrusted directory: no symbolic link is followed. */
const NO_FOLLOW = NO_BLOCK | fs.constants.O_NOFOLLOW;

/** Members of images that are open, the first opened first: a set may have more files than a process may open. */
const openMembers = new Set<FileSource>();

/** A regular file, opened at the first read. Without `follow` a symbolic link at its name is an error. */
export class FileSource implements ByteSource {
  readonly size: number;
  /** Device and inode of a file that has more than one name. */
  readonly linked: string | undefined;
  /** What tells the file, as it was when it was opened, from others and from itself changed: see `stampOf`. */
  readonly stamp: string;
  readonly #identity: string;
  #fd: number | undefined;

  constructor(
    readonly path: string,
    readonly name: string = path,
    private readonly options: { readonly follow: boolean } = { follow: true },
  ) {
    try {
      const stat = options.follow
        ? fs.statSync(path, { bigint: true })
        : fs.lstatSync(path, { bigint: true });
      const sort = irregularSort(stat);
      if (sort !== undefined) throw irregularError(sort, name);
      this.size = Number(stat.size);
      this.stamp = stampOf(stat);
      this.linked = stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined;
      this.#identity = this.#identityOf(stat);
    } catch (error) {
      throw error instanceof FormatError ? error : ioError("open", name, error);
    }
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const buffer = Buffer.allocUnsafe(size);
    this.readOver(buffer, offset);
    return buffer;
  }

  readOver(buffer: Buffer, offset: number): void {
    const size = buffer.length;
    checkRange(this, offset, size);
    let done = 0;
    try {
      this.#fd ??= this.#openFile();
      while (done < size) {
        const got = fs.readSync(this.#fd, buffer, done, size - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      throw isCrimgError(error) ? error : ioError("read", this.name, error);
    }
    if (done < size)
      throw new FormatError("TRUNCATED", "the file was truncated while being read", {
        file: this.name,
        offset: offset + done,
      });
  }

  /** Whether the name still refers to the file that was opened. */
  isCurrent(): boolean {
    const stat = fs.lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stat !== undefined && this.#identityOf(stat) === this.#identity;
  }

  /** The name may refer to another file by now. */
  #openFile(): number {
    const fd = fs.openSync(this.path, this.options.follow ? NO_BLOCK : NO_FOLLOW);
    const stat = fs.fstatSync(fd, { bigint: true });
    const sort = irregularSort(stat);
    if (sort === undefined && this.#identityOf(stat) === this.#identity) {
      if (!this.options.follow) this.#takePlace();
      return fd;
    }
    fs.closeSync(fd);
    throw sort === undefined ? new EditError(CHANGED, { file: this.name }) : irregularError(sort, this.name);
  }

  /** A member that has to make room is opened again at its next read. */
  #takePlace(): void {
    const [oldest] = openMembers;
    if (openMembers.size >= MAX_OPEN_FILES) oldest?.close();
    openMembers.add(this);
  }

  /** Size and time count only for members of an image, which are always replaced; other files, such as logs, may grow. */
  #identityOf({ dev, ino, size, mtimeNs }: fs.BigIntStats): string {
    return this.options.follow ? `${dev} ${ino}` : `${dev} ${ino} ${size} ${mtimeNs}`;
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    openMembers.delete(this);
  }
}

/** Inode, size and both times: no other file has the same, nor the file itself once it was changed. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: fs.BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
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
