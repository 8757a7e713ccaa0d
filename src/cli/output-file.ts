import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { createPrivate, ioError, removeAbandoned, replaceable, temporaryName, UsageError } from "../index.js";
import { writeBinary } from "./output.js";

/**
 * Writes the output of a command to the file of `-o`, or to stdout without one or for `-`. The file is private and
 * appears complete or not at all: an old one stays until the new one is complete. Binary is never written to a terminal.
 */
export function writeOutput(to: string | undefined, chunks: Iterable<Uint8Array>): void {
  if (to === undefined || to === "-") {
    if (isatty(1))
      throw new UsageError("cannot write binary data to a terminal; name a file with -o, or use a pipe");
    for (const chunk of chunks) writeBinary(chunk);
    return;
  }
  const old = replaceable(to);
  const [directory, base] = [dirname(to), basename(to)];
  const fresh = old === "device" ? undefined : join(directory, temporaryName(base));
  try {
    if (fresh) removeAbandoned(directory, base);
    const fd = fresh
      ? createPrivate(fresh, old === "device" ? undefined : old?.mode)
      : fs.openSync(to, fs.constants.O_WRONLY);
    try {
      for (const chunk of chunks) writeAll(fd, chunk);
      if (fresh) fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    if (fresh) fs.renameSync(fresh, to);
  } catch (error) {
    if (fresh) fs.rmSync(fresh, { force: true });
    throw isErrno(error) ? ioError("write", to, error) : error;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

function isErrno(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
