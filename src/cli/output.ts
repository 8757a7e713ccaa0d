import fs from "node:fs";
import { isatty } from "node:tty";
import { ioError } from "../index.js";

const CHUNK = 64 * 1024;
const PAUSE_MS = 5;

/** The reader of our stdout went away (`| head`): nobody is left to tell, so the command ends silently. */
export class ClosedPipe extends Error {}

/**
 * Writes to stdout (1) or stderr (2) and returns when the system took all of it, so a slow reader never makes
 * output pile up in memory. Throws ClosedPipe when the reader is gone.
 */
export function writeTo(fd: 1 | 2, data: string | Uint8Array): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new ClosedPipe();
      if (code !== "EAGAIN") throw ioError("write to it", fd === 1 ? "stdout" : "stderr", error);
      pause();
    }
  }
}

/** Writes lines to stdout, 64 KiB at a time; those in front of what `lines` may throw come out too. */
export function writeLines(lines: Iterable<string>): void {
  let pending = "";
  try {
    for (const line of lines) {
      pending += `${line}\n`;
      if (pending.length < CHUNK) continue;
      const full = pending;
      pending = "";
      writeTo(1, full);
    }
  } finally {
    if (pending) writeTo(1, pending);
  }
}

/** Columns to fit tables into: COLUMNS if set, else the terminal's; undefined when stdout is no terminal. */
export function terminalWidth(): number | undefined {
  const columns = Number(process.env.COLUMNS);
  if (Number.isInteger(columns) && columns > 0) return columns;
  return isatty(1) ? process.stdout.columns : undefined;
}

/** A stdout that is non-blocking (shared with another program) and full: wait a little. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
