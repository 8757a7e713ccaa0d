import fs from "node:fs";
import { isatty } from "node:tty";
import { ioError } from "../index.js";
import { writeJson, writeJsonLine } from "./json.js";
import { type Line, rendered } from "./line.js";

const CHUNK = 64 * 1024;
/** Bytes of one UTF-16 unit at most. */
const MAX_UTF8_BYTES = 3;
const PAUSE_MS = 5;

/** Takes what is written to stdout and stderr from now on. */
export type Sink = (fd: 1 | 2, bytes: Uint8Array) => void;

let sink: Sink | undefined;

/** Gives all output to `to`, or to stdout and stderr again. */
export function redirectOutput(to: Sink | undefined): void {
  sink = to;
}

/** The reader of stdout is gone (`| head`); the command ends silently. */
export class ClosedPipe extends Error {}

/** Writes lines to stdout (1) or stderr (2), 64 KiB at a time; if `lines` throws, those before are written. */
export function writeLines(fd: 1 | 2, lines: Iterable<Line>): void {
  const pending = new Chunk(fd);
  try {
    for (const line of lines) pending.add(`${rendered(line)}\n`);
  } finally {
    pending.flush();
  }
}

/** Text that waits to be written, 64 KiB at a time. Bytes are collected: joined strings live long, and cost more to free. */
class Chunk {
  readonly #bytes = Buffer.allocUnsafe(CHUNK);
  #used = 0;

  constructor(readonly fd: 1 | 2) {}

  add(text: string): void {
    if (this.#used + text.length * MAX_UTF8_BYTES > CHUNK) this.flush();
    if (text.length * MAX_UTF8_BYTES > CHUNK) write(this.fd, Buffer.from(text));
    else this.#used += this.#bytes.write(text, this.#used);
  }

  flush(): void {
    const used = this.#used;
    this.#used = 0;
    if (used > 0) write(this.fd, this.#bytes.subarray(0, used));
  }
}

/** Replaces the last line on stderr, or clears it. The next text follows in the same line. */
export function overwriteLine(line: Line): void {
  write(2, Buffer.from(`\r\u001b[K${rendered(line)}`));
}

/** Writes JSON to stdout; it escapes terminal control characters. */
export function writeAnswer(answer: object): void {
  writeJson(answer, (chunk) => write(1, Buffer.from(chunk)));
}

/** The same bytes, for a file. */
export function answerBytes(answer: object): Buffer {
  const chunks: Buffer[] = [];
  writeJson(answer, (chunk) => chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

/** Writes answers as lines of JSON to stdout, 64 KiB at a time; if `answers` throws, those before are written. */
export function writeAnswerLines(answers: Iterable<object>): void {
  let pending = "";
  const flush = (): void => {
    if (pending !== "") write(1, Buffer.from(pending));
    pending = "";
  };
  try {
    for (const answer of answers) {
      writeJsonLine(answer, (chunk) => {
        pending += chunk;
      });
      if (pending.length >= CHUNK) flush();
    }
  } finally {
    flush();
  }
}

/** Writes binary data to stdout, or what another run wrote. */
export function writeBinary(bytes: Uint8Array, fd: 1 | 2 = 1): void {
  write(fd, bytes);
}

/** Width for tables: COLUMNS if set, else the terminal's; undefined if stdout is not a terminal. */
export function terminalWidth(): number | undefined {
  const columns = Number(process.env.COLUMNS);
  if (Number.isInteger(columns) && columns > 0) return columns;
  return isatty(1) ? process.stdout.columns : undefined;
}

/** stdout is non-blocking (shared with another program) and full: wait a little. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}

/**
 * Writes everything, and returns when the kernel took it, so that output for a slow reader never piles up in memory.
 * Throws ClosedPipe if the reader is gone.
 */
function write(fd: 1 | 2, bytes: Uint8Array): void {
  if (sink !== undefined) {
    sink(fd, bytes);
    return;
  }
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new ClosedPipe();
      if (code !== "EAGAIN") throw ioError("write", fd === 1 ? "stdout" : "stderr", error);
      pause();
    }
  }
}
