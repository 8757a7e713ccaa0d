import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { BackendError } from "../../../io/errors.js";
import { EAGAIN } from "../../../linux/errno.js";
import { AT_FDCWD, F_GETPIPE_SZ, F_SETFL, F_SETPIPE_SZ, SPLICE_F_NONBLOCK } from "../../../linux/files.js";
import { O_ACCMODE, O_CLOEXEC, O_LARGEFILE, O_NONBLOCK } from "../../../linux/open-flags.js";
import { lazy } from "../../../model/lazy.js";
import { decodePipes } from "../../../model/linux-cr/pipes.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { DeletedFiles } from "../deleted-files/apply.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, openPath } from "../sys/syscall.js";
import type { OpenFileRecord } from "./image.js";
import { borrow, type OpenFileState } from "./open-files.js";

/** Bytes that a pipe or fifo can hold. */
export function pipeCapacity(file: OpenFileState): number {
  return borrow(file, (fd) => call("read the capacity of a pipe", SYS.fcntl, fd, F_GETPIPE_SZ));
}

/** The bytes that wait in a pipe or fifo, without taking them out. */
export function pipeData({ pid, fd, link, info }: OpenFileState): Buffer {
  // Either end can be read through /proc; the end at hand may be for writing only.
  const own = call("open a pipe", SYS.openat, AT_FDCWD, Buffer.from(`/proc/${pid}/fd/${fd}\0`), O_NONBLOCK);
  const ends = Buffer.alloc(8);
  call("make a pipe", SYS.pipe2, ends, O_NONBLOCK);
  const [readEnd, writeEnd] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  try {
    const capacity = call("read the capacity of a pipe", SYS.fcntl, own, F_GETPIPE_SZ);
    call("make room for the data of a pipe", SYS.fcntl, writeEnd, F_SETPIPE_SZ, capacity);
    const size = attempt(SYS.tee, own, writeEnd, capacity, SPLICE_F_NONBLOCK);
    if (size <= 0) {
      if (size === 0 || size === -EAGAIN) return Buffer.alloc(0);
      throw new BackendError(`cannot read what waits in ${link} (flags ${info.flags.toString(8)})`);
    }
    const bytes = Buffer.alloc(size);
    let got = 0;
    while (got < size) got += call("read from a pipe", SYS.read, readEnd, bytes.subarray(got), size - got);
    return bytes;
  } finally {
    for (const each of [own, readEnd, writeEnd]) attempt(SYS.close, each);
  }
}

const SETTABLE = 0o2000 | 0o4000 | 0o40000;

/** Pipes and fifos: both ends of one share its bytes. */
export class Pipes {
  readonly #buffers = lazy(() => decodePipes(this.reader));
  /** Both ends for crimg itself, so that no end is ever alone while others are opened. */
  readonly #both = new Map<number, number>();
  /** Ends as pipe(2) gave them, by access mode, until they are taken. */
  readonly #ends = new Map<number, Map<number, number>>();

  constructor(
    readonly reader: StreamReader,
    readonly deleted: DeletedFiles,
  ) {}

  /** The end of a pipe that a FILE is. */
  end(file: OpenFileRecord): number {
    const { value } = file;
    const id = value.pipe_objref ?? 0;
    let both = this.#both.get(id);
    if (both === undefined) {
      both =
        value.f_type === FILE_TYPE.fifo
          ? openPath(this.#nameOf(file), 2 | O_NONBLOCK | O_CLOEXEC)
          : this.#newPipe(id);
      this.#both.set(id, both);
      this.#fill(id, both);
    }
    const mode = value.f_flags & O_ACCMODE;
    const path = value.f_type === FILE_TYPE.fifo ? this.#nameOf(file) : `/proc/self/fd/${both}`;
    const own = (value.f_flags & O_LARGEFILE) === 0 ? this.#ends.get(id)?.get(mode) : undefined;
    if (own !== undefined) this.#ends.get(id)?.delete(mode);
    const fd = own ?? openPath(path, mode | O_NONBLOCK | O_CLOEXEC);
    call("set the flags of a pipe", SYS.fcntl, fd, F_SETFL, value.f_flags & SETTABLE);
    return fd;
  }

  /** What leads to a fifo, which may have no name any more. */
  #nameOf(file: OpenFileRecord): string {
    const isDeleted = this.reader.find(file.part, RECORDS.FILE_UNLINKED) !== undefined;
    return isDeleted ? this.deleted.link(file) : (file.path ?? "");
  }

  /** Opened for both by its link: reading and writing through one descriptor. */
  #newPipe(id: number): number {
    const ends = Buffer.alloc(8);
    call("make a pipe", SYS.pipe2, ends, O_CLOEXEC);
    this.#ends.set(
      id,
      new Map([
        [0, ends.readInt32LE(0)],
        [1, ends.readInt32LE(4)],
      ]),
    );
    return openPath(`/proc/self/fd/${ends.readInt32LE(0)}`, 2 | O_NONBLOCK | O_CLOEXEC);
  }

  /** Capacity and unread bytes. */
  #fill(id: number, both: number): void {
    for (const { pipeId, capacity, data } of this.#buffers()) {
      if (pipeId !== id) continue;
      if (capacity) call("set the capacity of a pipe", SYS.fcntl, both, F_SETPIPE_SZ, capacity);
      const bytes = Buffer.concat(data.map(({ source, offset, size }) => source.read(offset, size)));
      for (let done = 0; done < bytes.length; )
        done += call("fill a pipe", SYS.write, both, bytes.subarray(done), bytes.length - done);
    }
  }

  close(): void {
    for (const ends of [this.#both, ...this.#ends.values()]) {
      for (const fd of ends.values()) attempt(SYS.close, fd);
      ends.clear();
    }
  }
}
