import fs from "node:fs";
import path from "node:path";
import { UnsupportedError } from "../../../io/errors.js";
import type { FileSet } from "../../../io/file-set.js";
import { type ByteSource, FileSource } from "../../../io/source.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import { EDIT_LOG, type LogEntry, readLog } from "../log.js";

/** What the name of a stream's file ends with for its edit log, which stands beside it. */
export const STREAM_LOG_SUFFIX = ".crimg-log";

/** A stream and its log as the two files of a set: the log, and under any other name the stream itself. */
export class StreamFiles implements FileSet {
  readonly name: string;
  readonly #log: FileSource | undefined;

  constructor(
    readonly image: ByteSource,
    logFile: string | undefined,
  ) {
    this.name = image.name;
    this.#log =
      logFile !== undefined && fs.lstatSync(logFile, { throwIfNoEntry: false })?.isFile() === true
        ? new FileSource(logFile)
        : undefined;
  }

  /** Of an opened stream; one that came through a pipe has no log. */
  static of({ image }: LinuxCrDocument): StreamFiles {
    const { source } = image;
    return new StreamFiles(source, source instanceof FileSource ? logOf(realPath(source)) : undefined);
  }

  names(): readonly string[] {
    const image = path.basename(this.name);
    return this.#log === undefined ? [image] : [EDIT_LOG, image];
  }

  open(name: string): ByteSource | undefined {
    return name === EDIT_LOG ? this.#log : this.image;
  }

  parent(): undefined {
    return undefined;
  }

  close(): void {
    this.#log?.close();
    this.image.close();
  }

  /** The entries of the log, oldest first, whatever the stream was called when they were made. */
  entries(): LogEntry[] {
    const name = path.basename(this.name);
    return readLog(this).map((entry) => ({
      ...entry,
      files: entry.files.map((file) => ({ ...file, name })),
    }));
  }
}

export function logOf(file: string): string {
  return file + STREAM_LOG_SUFFIX;
}

/** The file of a stream, with no symbolic link in its path: the log stands beside it. */
export function realPath({ path: file }: FileSource): string {
  return fs.realpathSync(file);
}

/** Errors: UNSUPPORTED for a stream that came through a pipe. */
export function fileOf(document: LinuxCrDocument): string {
  const { source } = document.image;
  if (source instanceof FileSource) return realPath(source);
  throw new UnsupportedError(
    "this stream comes through a pipe, so there is no file to change; use -o FILE, or -o - for stdout",
    { file: document.name },
  );
}
