import fs from "node:fs";
import { isatty } from "node:tty";
import { FormatError, ioError, UsageError } from "../index.js";

const CHUNK = 1024 * 1024;

/**
 * All bytes of `path`, or of stdin when it is `-` or not given. At most `limit` bytes: TOO_LARGE above.
 * A terminal on stdin is a usage error, since the user would face a program that seems to hang.
 */
export function readInput(path: string | undefined, limit: number): Buffer {
  const fromStdin = path === undefined || path === "-";
  const name = fromStdin ? "stdin" : path;
  if (fromStdin && isatty(0)) throw new UsageError("name an input file, or pipe the input into stdin");
  let fd = 0;
  try {
    fd = fromStdin ? 0 : fs.openSync(path, "r");
    return readAll(fd, name, limit);
  } catch (error) {
    throw error instanceof FormatError ? error : ioError("read it", name, error);
  } finally {
    if (fd !== 0) fs.closeSync(fd);
  }
}

function readAll(fd: number, name: string, limit: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const got = readSome(fd, chunk);
    if (got === 0) return Buffer.concat(chunks, total);
    chunks.push(chunk.subarray(0, got));
    total += got;
    if (total > limit)
      throw new FormatError("TOO_LARGE", `the input is longer than ${limit} bytes`, { file: name });
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
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
