import { BackendError } from "../../../../io/errors.js";
import { EAGAIN } from "../../../../linux/errno.js";
import { AT_FDCWD, F_GETPIPE_SZ, F_SETPIPE_SZ, SPLICE_F_NONBLOCK } from "../../../../linux/files.js";
import { O_NONBLOCK } from "../../../../linux/open-flags.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt, call } from "../../sys/syscall.js";
import { borrow, type OpenFileState } from "../descriptions.js";

/** Bytes that a pipe or fifo can hold. */
export function pipeCapacity(file: OpenFileState): number {
  return borrow(file, (fd) => call("tell the capacity of a pipe", SYS.fcntl, fd, F_GETPIPE_SZ));
}

/** The bytes that wait in a pipe or fifo, without taking them out. */
export function pipeData({ pid, fd, link, info }: OpenFileState): Buffer {
  // Either end can be read through /proc; the end at hand may be for writing only.
  const own = call("open a pipe", SYS.openat, AT_FDCWD, Buffer.from(`/proc/${pid}/fd/${fd}\0`), O_NONBLOCK);
  const ends = Buffer.alloc(8);
  call("make a pipe", SYS.pipe2, ends, O_NONBLOCK);
  const [readEnd, writeEnd] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  try {
    const capacity = call("tell the capacity of a pipe", SYS.fcntl, own, F_GETPIPE_SZ);
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
