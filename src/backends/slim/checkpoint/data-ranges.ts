import fs from "node:fs";
import { type ByteSource, checkRange } from "../../../io/source.js";
import { SEEK_DATA, SEEK_HOLE } from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";

import { attempt } from "../sys/syscall.js";

const SYS_LSEEK = 8;

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

  /** Opens by a path that need not lead to a name, as /proc/PID/map_files. A lease of somebody is not waited for. */
  static open(path: string, name: string): DescriptorSource {
    return new DescriptorSource(fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), name);
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const bytes = Buffer.alloc(size);
    // Bytes behind a page that was cut meanwhile stay zero: nobody writes to a file of a stopped tree but others.
    for (let done = 0; done < size; ) {
      const got = fs.readSync(this.fd, bytes, done, size - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return bytes;
  }

  /** Where the file has data, in bytes: its holes are left out. */
  dataRanges(): { readonly offset: number; readonly size: number }[] {
    const ranges: { offset: number; size: number }[] = [];
    for (let at = 0; at < this.fileSize; ) {
      const start = attempt(SYS_LSEEK, this.fd, at, SEEK_DATA);
      if (start < 0) break;
      const end = attempt(SYS_LSEEK, this.fd, start, SEEK_HOLE);
      ranges.push({ offset: start, size: Math.min(end, this.fileSize) - start });
      at = end;
    }
    return ranges;
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}
