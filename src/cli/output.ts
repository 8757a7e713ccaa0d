import fs from "node:fs";
import { isatty } from "node:tty";
import { ioError } from "../index.js";
import { writeJson } from "./json.js";
import { type Line, rendered } from "./line.js";

const CHUNK = 64 * 1024;
const PAUSE_MS = 5;

/** The reader of our stdout went away (`| head`): nobody is left to tell, so the command ends silently. */
export class ClosedPipe extends Error {}

/** Writes lines to stdout (1) or stderr (2), 64 KiB at a time; those in front of what `lines` may throw come out too. */
export function writeLines(fd: 1 | 2, lines: Iterable<Line>): void {
  let pending = "";
  try {
    for (const line of lines) {
      pending += `${rendered(line)}\n`;
      if (pending.length < CHUNK) continue;
      const full = pending;
      pending = "";
      write(fd, Buffer.from(full));
    }
  } finally {
    if (pending) write(fd, Buffer.from(pending));
  }
}

/** Puts a line in the place of the last one on stderr, or wipes that. The next text follows in the same line. */
export function overwriteLine(line: Line): void {
  write(2, Buffer.from(`\r\u001b[K${rendered(line)}`));
}

/** Writes an answer as JSON to stdout, which escapes whatever a terminal would obey. */
export function writeAnswer(answer: object): void {
  writeJson(answer, (chunk) => write(1, Buffer.from(chunk)));
}

/** Writes an image, or what else is no text for people, to stdout. */
export function writeBinary(bytes: Uint8Array): void {
  write(1, bytes);
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

/**
 * The one way out: returns when the system took all of it, so a slow reader never makes output pile up in memory.
 * Throws ClosedPipe when the reader is gone.
 */
function write(fd: 1 | 2, bytes: Uint8Array): void {
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
