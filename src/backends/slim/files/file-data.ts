import fs from "node:fs";
import { type ByteSource, checkRange } from "../../../io/source.js";
import { FICLONE, SEEK_DATA, SEEK_HOLE } from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";

const CHUNK = 1 << 20;
/** copy_file_range(2) copies at most this at once. */
const MAX_BYTES = 0x7fff_f000;

/** A part of a file that is no hole, in bytes. */
interface DataRange {
  readonly offset: number;
  readonly size: number;
}

/** Where the file of a descriptor has data, below `size`. The descriptor's position moves. */
function dataRanges(fd: number, size: number): DataRange[] {
  const ranges: DataRange[] = [];
  for (let at = 0; at < size; ) {
    const start = attempt(SYS.lseek, fd, at, SEEK_DATA);
    if (start < 0) break;
    const end = attempt(SYS.lseek, fd, start, SEEK_HOLE);
    ranges.push({ offset: start, size: Math.min(end, size) - start });
    at = end;
  }
  return ranges;
}

/**
 * Makes the empty file `to` equal to `from`: by sharing its blocks where the file system can, so that no data are moved,
 * else range by range, holes left out. Says which way it took.
 */
export function copyFile(from: number, to: number): "reflink" | "copy" {
  if (attempt(SYS.ioctl, to, FICLONE, from) === 0) return "reflink";
  const { size } = fs.fstatSync(from);
  const buffer = Buffer.alloc(CHUNK);
  for (const range of dataRanges(from, size)) copyDataRange(from, to, range, buffer);
  fs.ftruncateSync(to, size);
  return "copy";
}

/** In the kernel where it can, which not all pairs of file systems can. */
function copyDataRange(from: number, to: number, { offset, size }: DataRange, buffer: Buffer): void {
  const [at, into] = [Buffer.alloc(8), Buffer.alloc(8)];
  for (let done = 0; done < size; ) {
    at.writeBigInt64LE(BigInt(offset + done));
    into.writeBigInt64LE(BigInt(offset + done));
    const left = size - done;
    let got = attempt(SYS.copy_file_range, from, at, to, into, Math.min(left, MAX_BYTES), 0);
    if (got <= 0) {
      got = fs.readSync(from, buffer, 0, Math.min(left, CHUNK), offset + done);
      for (let put = 0; put < got; ) put += fs.writeSync(to, buffer, put, got - put, offset + done + put);
    }
    // Truncated meanwhile by another process: what is missing is a hole.
    if (got === 0) return;
    done += got;
  }
}

/** A file by a descriptor of this process, which it closes; as bytes it is as long as its pages, with zeros behind. */
export class DescriptorSource implements ByteSource {
  /** Bytes of the file. */
  readonly fileSize: number;

  constructor(
    readonly fd: number,
    readonly name: string,
  ) {
    this.fileSize = fs.fstatSync(fd).size;
  }

  get size(): number {
    return Math.ceil(this.fileSize / PAGE_SIZE) * PAGE_SIZE;
  }

  /** Opens by a path that need not lead to a name, as /proc/PID/map_files. It does not wait for a lease. */
  static open(path: string, name: string): DescriptorSource {
    return new DescriptorSource(fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), name);
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const bytes = Buffer.alloc(size);
    // Bytes of pages that another process truncated meanwhile stay zero; the tree itself is stopped.
    for (let done = 0; done < size; ) {
      const got = fs.readSync(this.fd, bytes, done, size - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return bytes;
  }

  /** Where the file has data, in bytes: its holes are left out. */
  dataRanges(): DataRange[] {
    return dataRanges(this.fd, this.fileSize);
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

const COPY_CHUNK = 1 << 20;

/** Copies bytes of the image into a file. */
export function copyBytes(image: number, from: number, to: number, at: number, size: number): void {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_CHUNK, size));
  for (let done = 0; done < size; ) {
    const got = fs.readSync(image, buffer, 0, Math.min(COPY_CHUNK, size - done), from + done);
    fs.writeSync(to, buffer, 0, got, at + done);
    done += got;
  }
}
