import fs from "node:fs";
import { FICLONE, SEEK_DATA, SEEK_HOLE } from "../../linux/files.js";
import { SYS } from "./sys/abi-x64.js";
import { attempt } from "./sys/syscall.js";

const CHUNK = 1 << 20;
/** copy_file_range(2) copies at most this at once. */
const MAX_BYTES = 0x7fff_f000;

/** A part of a file that is no hole, in bytes. */
export interface DataRange {
  readonly offset: number;
  readonly size: number;
}

/** Where the file of a descriptor has data, below `size`. The descriptor's position moves. */
export function dataRanges(fd: number, size: number): DataRange[] {
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
  for (const range of dataRanges(from, size)) copyRange(from, to, range, buffer);
  fs.ftruncateSync(to, size);
  return "copy";
}

/** In the kernel where it can, which not all pairs of file systems can. */
function copyRange(from: number, to: number, { offset, size }: DataRange, buffer: Buffer): void {
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
    // Cut meanwhile by somebody else: what is missing is a hole.
    if (got === 0) return;
    done += got;
  }
}
