import fs from "node:fs";
import path from "node:path";
import { SourceFileSet } from "./io/file-set.js";
import { temporaryBeside } from "./io/new-directory.js";
import type { ByteSource } from "./io/source.js";
import { writeSource } from "./io/write-file.js";
import type { CriuDocument, LinuxCrDocument } from "./model/document.js";
import { type Loss, Losses } from "./model/loss.js";
import { openFileSet } from "./open.js";
import { toCriu } from "./ops/convert/to-criu/to-criu.js";

/** A stream converted to a CRIU set. */
export interface StreamAsSet {
  /** Reads as any set; its pages are read from the stream. */
  readonly document: CriuDocument;
  /** What a set cannot express of the stream. */
  readonly losses: readonly Loss[];
  /** Writes it to a temporary directory that only its owner can read; the caller removes it. Errors: IO. */
  write(): string;
}

/** Converts a stream without writing anything. `setName` names the set in messages. Errors: FormatError, UnsupportedError. */
export function streamAsSet({ name, image }: LinuxCrDocument, setName: string): StreamAsSet {
  const losses = new Losses();
  const files = new Map<string, ByteSource>(toCriu(image, losses).map((file) => [file.name, file.content]));
  return {
    document: openFileSet(new SourceFileSet(setName, files)),
    losses: losses.list(),
    write() {
      const directory = temporaryBeside(name);
      try {
        for (const [file, content] of files)
          writeSource(path.join(directory, file), content, { sync: false });
      } catch (error) {
        fs.rmSync(directory, { recursive: true, force: true });
        throw error;
      }
      return directory;
    },
  };
}
