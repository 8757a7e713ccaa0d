import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "../../io/digest.js";
import { createDirectory } from "../../io/new-directory.js";
import { createFile } from "../../io/new-file.js";
import type { ByteSource } from "../../io/source.js";
import { replaces, writeSource } from "../../io/write-file.js";
import type { Conversion } from "./convert.js";

/** Told how many bytes of how many are written. */
export type OnWritten = (done: number, total: number) => void;

/**
 * Writes a conversion to a file (a stream) or to a new directory (a set); whatever happens it is there whole or not at
 * all. Memory is private: what is written can be read by its owner alone. Gives the bytes written.
 * Errors: USAGE when `out` exists (a stream replaces a file with `force`); IO.
 */
export function writeConversion(
  conversion: Conversion,
  out: string,
  force: boolean,
  onWritten: OnWritten,
): number {
  if (conversion.to === "linux-cr") return writeStream(conversion.stream, out, force, onWritten);
  const total = conversion.files.reduce((sum, { content }) => sum + content.size, 0);
  return createDirectory(out, undefined, (directory) => {
    let done = 0;
    for (const { name, content } of conversion.files) {
      const counted = new CountedSource(content, (bytes) => onWritten(done + bytes, total));
      writeSource(path.join(directory, name), counted, { sync: false });
      done += content.size;
    }
    return done;
  });
}

/** Writes a stream to a file, whole or not at all. Errors: USAGE when `out` exists (a file is replaced with `force`); IO. */
export function writeStream(stream: ByteSource, out: string, force: boolean, onWritten: OnWritten): number {
  replaces(out, force);
  const counted = new CountedSource(stream, (done) => onWritten(done, stream.size));
  createFile(out, (temporary) => writeSource(temporary, counted, { sync: true }), { isNew: !force });
  return stream.size;
}

/** Writes an archive, whole or not at all; gives its bytes. Errors: USAGE when `out` exists without `force`; IO. */
export function writeArchive(content: ByteSource | Iterable<Buffer>, out: string, force: boolean): number {
  replaces(out, force);
  const write = (temporary: string): number => {
    writeSource(temporary, content, { sync: true });
    return fs.statSync(temporary).size;
  };
  return createFile(out, write, { isNew: !force });
}

/** Tells how far a source was read. */
class CountedSource implements ByteSource {
  constructor(
    readonly source: ByteSource,
    readonly onRead: (end: number) => void,
  ) {}

  get name(): string {
    return this.source.name;
  }

  get size(): number {
    return this.source.size;
  }

  read(offset: number, size: number): Buffer {
    this.onRead(offset);
    return this.source.read(offset, size);
  }

  close(): void {
    this.source.close();
  }
}

/** The bytes of a converted stream for a pipe. */
export function* conversionBytes(stream: ByteSource, onWritten: OnWritten): Generator<Buffer> {
  yield* chunksOf(new CountedSource(stream, (done) => onWritten(done, stream.size)));
}
