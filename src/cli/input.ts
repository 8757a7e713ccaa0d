import fs from "node:fs";
import { isatty } from "node:tty";
import { FormatError, ioError, isCrimgError, UsageError } from "../index.js";

const CHUNK = 1024 * 1024;
const PAUSE_MS = 5;
/** The writer of a FIFO may open it a little later. */
const WRITER_MS = 5000;

/**
 * All bytes of `path`, or of stdin if it is `-` or undefined. At most `limit` bytes, else TOO_LARGE.
 * A terminal on stdin is a usage error, since the program would seem to hang; so is a FIFO without a writer.
 */
export function readInput(path: string | undefined, limit: number): Buffer {
  const fromStdin = path === undefined || path === "-";
  const name = fromStdin ? "stdin" : path;
  if (fromStdin && isatty(0)) throw new UsageError("missing input: name a file, or pipe it to stdin");
  let fd = 0;
  try {
    fd = fromStdin ? 0 : fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    return readAll(fd, name, limit, !fromStdin && fs.fstatSync(fd).isFIFO() ? WRITER_MS : 0);
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("read", name, error);
  } finally {
    if (fd !== 0) fs.closeSync(fd);
  }
}

function readAll(fd: number, name: string, limit: number, patience: number): Buffer {
  const deadline = Date.now() + patience;
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const got = readSome(fd, chunk);
    if (got === 0) {
      if (total > 0 || patience === 0) return Buffer.concat(chunks, total);
      if (Date.now() > deadline) throw new UsageError("no process writes to this FIFO", { file: name });
      pause();
      continue;
    }
    chunks.push(chunk.subarray(0, got));
    total += got;
    if (total > limit)
      throw new FormatError("TOO_LARGE", `input too large (more than ${limit} bytes)`, { file: name });
  }
}

function readSome(fd: number, chunk: Buffer): number {
  for (;;) {
    try {
      return fs.readSync(fd, chunk, 0, chunk.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      pause();
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
