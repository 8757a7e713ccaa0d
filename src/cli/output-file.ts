import fs from "node:fs";
import { isatty } from "node:tty";
import { createFile, createPrivate, ioError, openDevice, replaceable, UsageError } from "../index.js";
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
  if (old === "device") writeToDevice(to, chunks);
  else
    createFile(to, (temporary) => {
      const fd = createPrivate(temporary, old?.mode);
      try {
        for (const chunk of chunks) writeAll(fd, chunk);
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
}

function writeToDevice(to: string, chunks: Iterable<Uint8Array>): void {
  let fd: number | undefined;
  try {
    fd = openDevice(to);
    for (const chunk of chunks) writeAll(fd, chunk);
  } catch (error) {
    throw isErrno(error) ? ioError("write", to, error) : error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
}

function isErrno(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
