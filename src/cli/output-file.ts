import fs from "node:fs";
import { isatty } from "node:tty";
import { createFile, createPrivate, ioError, openDevice, replaceable, UsageError } from "../index.js";
import { writeBinary } from "./output.js";

/** Bytes of an output, or a number of zeros. */
export type OutputPiece = Uint8Array | { readonly zeros: number };

const ZEROS = new Uint8Array(64 * 1024);

/**
 * Writes the output of a command to the file of `-o`, or to stdout without one or for `-`. The file is private and
 * appears complete or not at all: an old one stays until the new one is complete. Zeros become holes of a file. Binary is
 * never written to a terminal.
 */
export function writeOutput(to: string | undefined, pieces: Iterable<OutputPiece>): void {
  if (to === undefined || to === "-") {
    if (isatty(1))
      throw new UsageError("cannot write binary data to a terminal; name a file with -o, or use a pipe");
    for (const chunk of bytesOf(pieces)) writeBinary(chunk);
    return;
  }
  const old = replaceable(to);
  if (old === "device") writeToDevice(to, pieces);
  else
    createFile(to, (temporary) => {
      const fd = createPrivate(temporary, old?.mode);
      try {
        writeWithHoles(fd, pieces);
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
}

function* bytesOf(pieces: Iterable<OutputPiece>): Generator<Uint8Array> {
  for (const piece of pieces)
    if (piece instanceof Uint8Array) yield piece;
    else
      for (let left = piece.zeros; left > 0; left -= ZEROS.length)
        yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

function writeWithHoles(fd: number, pieces: Iterable<OutputPiece>): void {
  let size = 0;
  for (const piece of pieces)
    if (piece instanceof Uint8Array) {
      writeAll(fd, piece, size);
      size += piece.length;
    } else size += piece.zeros;
  fs.ftruncateSync(fd, size);
}

function writeToDevice(to: string, pieces: Iterable<OutputPiece>): void {
  let fd: number | undefined;
  try {
    fd = openDevice(to);
    for (const chunk of bytesOf(pieces)) writeAll(fd, chunk);
  } catch (error) {
    throw isErrno(error) ? ioError("write", to, error) : error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** At the current position, or from `from` on. */
function writeAll(fd: number, bytes: Uint8Array, from?: number): void {
  for (let at = 0; at < bytes.length; )
    at += fs.writeSync(fd, bytes, at, bytes.length - at, from === undefined ? null : from + at);
}

function isErrno(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
