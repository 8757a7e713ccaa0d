import fs from "node:fs";
import { ioError, isCrimgError, type OutputName } from "../index.js";
import { escapeText } from "./escape.js";

/**
 * Logs the steps of the slim backend, a line each: seconds since the start, task, step, result. Written to a file,
 * created at the first step, and to `tell`. Only the first step can fail: tasks depend on all the others.
 */
export class StepLog {
  readonly #start = process.hrtime.bigint();
  #fd: number | undefined;
  #failure: unknown;

  constructor(
    readonly file: OutputName | undefined,
    readonly tell: ((line: string) => void) | undefined,
  ) {}

  /** Logs a step; undefined without a log, so that no line is made. Errors: IO for the file. */
  get step(): ((line: string) => void) | undefined {
    if (this.file === undefined && this.tell === undefined) return undefined;
    return (line) => this.#write(line);
  }

  /** Errors: IO if not everything could be written. */
  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#failure !== undefined) throw ioError("write the log", this.file?.path ?? "", this.#failure);
  }

  #write(step: string): void {
    const seconds = Number(process.hrtime.bigint() - this.#start) / 1e9;
    const line = `${seconds.toFixed(6).padStart(11)}  ${escapeText(step)}`;
    this.tell?.(line);
    if (this.file === undefined || this.#failure !== undefined) return;
    this.#fd ??= open(this.file);
    try {
      fs.writeSync(this.#fd, `${line}\n`);
    } catch (error) {
      this.#failure = error;
    }
  }
}

function open(file: OutputName): number {
  try {
    return file.openPrivate();
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("write the log", file.path, error);
  }
}
