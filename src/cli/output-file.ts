import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { createPrivate, ioError, removeAbandoned, replaceable, temporaryName, UsageError } from "../index.js";
import { writeBinary } from "./output.js";

/**
 * Writes what a command made to the file that `-o` names, or to stdout without one or for `-`. A file is there whole
 * or not at all and private: an old one of that name stays until the new one is complete. Binary never goes to a terminal.
 */
export function writeOutput(to: string | undefined, chunks: Iterable<Uint8Array>): void {
  if (to === undefined || to === "-") {
    if (isatty(1))
      throw new UsageError("this is binary and stdout is a terminal: name a file with -o, or use a pipe");
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
    throw isErrno(error) ? ioError("write it", to, error) : error;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

function isErrno(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
