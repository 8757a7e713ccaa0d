import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { ioError, UsageError } from "../index.js";
import { writeBinary } from "./output.js";

/**
 * Writes what a command made to the file that `-o` names, or to stdout without one or for `-`. A file is there whole
 * or not at all: an old one of that name stays until the new one is complete. Binary never goes to a terminal.
 */
export function writeOutput(to: string | undefined, chunks: Iterable<Uint8Array>): void {
  if (to === undefined || to === "-") {
    if (isatty(1))
      throw new UsageError("this is binary and stdout is a terminal: name a file with -o, or use a pipe");
    for (const chunk of chunks) writeBinary(chunk);
    return;
  }
  const target = targetOf(to);
  const fresh = target.replaceable
    ? join(dirname(target.path), `.${basename(target.path)}.crimg-${process.pid}`)
    : undefined;
  try {
    const fd = fs.openSync(fresh ?? target.path, fresh ? "wx" : "w", target.mode);
    try {
      for (const chunk of chunks) writeAll(fd, chunk);
      if (fresh) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    if (fresh) fs.renameSync(fresh, target.path);
  } catch (error) {
    if (fresh) fs.rmSync(fresh, { force: true });
    throw isErrno(error) ? ioError("write it", to, error) : error;
  }
}

/** Where `path` leads, and whether a file put in its place would be the same thing (not for /dev/stdout or a fifo). */
function targetOf(path: string): { path: string; replaceable: boolean; mode: number } {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return { path, replaceable: true, mode: 0o666 };
  return stat.isFile()
    ? { path: fs.realpathSync(path), replaceable: true, mode: stat.mode & 0o777 }
    : { path, replaceable: false, mode: 0o666 };
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

function isErrno(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
