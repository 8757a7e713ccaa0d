import fs from "node:fs";
import path from "node:path";
import { sha256OfFile } from "../../../io/digest.js";
import { EditError, UnsupportedError, UsageError } from "../../../io/errors.js";
import type { FileSet } from "../../../io/file-set.js";
import { type FileDigests, type ReplaceOptions, replaceInPlace } from "../../../io/in-place.js";
import { createFile } from "../../../io/new-file.js";
import type { PinnedDirectory } from "../../../io/pinned-directory.js";
import { type ByteSource, FileSource } from "../../../io/source.js";
import { writeSource } from "../../../io/write-file.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import type { EditTarget, ImageFiles, WrittenImage } from "../image-files.js";
import { EDIT_LOG, type EditLog, logDigests, readLog } from "../log.js";
import type { LogEntry } from "../log-entry.js";
import { logOf, streamPlace } from "../place.js";
import { assertFree, stampAt } from "../target-file.js";

/** A stream and its log as the two files of a set: the log, and under any other name the stream itself. */
class StreamAndLog implements FileSet {
  readonly name: string;
  readonly #log: FileSource | undefined;

  constructor(readonly image: ByteSource) {
    this.name = image.name;
    const log = image instanceof FileSource ? logOf(realPath(image)) : undefined;
    this.#log =
      log !== undefined && fs.lstatSync(log, { throwIfNoEntry: false }) !== undefined
        ? new FileSource(log, log, { follow: false })
        : undefined;
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
}

/** The file of a stream, and the log beside it; a stream that came through a pipe has neither. */
export class StreamFiles implements ImageFiles {
  readonly files: FileSet;
  readonly #source: ByteSource;
  readonly #isUnchanged: ReplaceOptions["isUnchanged"];

  constructor({ image }: LinuxCrDocument) {
    this.#source = image.source;
    this.files = new StreamAndLog(image.source);
    this.#isUnchanged = unchanged(image.source);
  }

  /** Whatever the stream was called when its entries were made. Errors: UNSUPPORTED for a pipe. */
  get log(): EditLog {
    fileOf(this.#source);
    const name = path.basename(this.files.name);
    const log = readLog(this.files);
    const entries = log.entries.map((entry) => ({
      ...entry,
      files: entry.files.map((file) => ({ ...file, name })),
    }));
    return { ...log, entries };
  }

  nameIn(target: EditTarget, name: string): string {
    return target.to === "new" ? path.basename(target.path) : name;
  }

  assertUndoable(entries: readonly LogEntry[]): void {
    if (entries.some(({ files }) => files.length !== 1))
      throw new EditError("the log names several files (expected one, the stream)", {
        file: this.files.open(EDIT_LOG)?.name,
      });
  }

  write(
    changed: ReadonlyMap<string, ByteSource | null>,
    target: EditTarget,
    given: ReadonlyMap<string, FileDigests>,
  ): WrittenImage {
    const [content] = [...changed].flatMap(([name, source]) => (name === EDIT_LOG ? [] : (source ?? [])));
    const log = changed.get(EDIT_LOG) ?? (changed.has(EDIT_LOG) ? null : (this.files.open(EDIT_LOG) ?? null));
    if (target.to === "new") {
      this.#writeNew(content ?? this.#source, log, target.path);
      return { path: target.path, copied: undefined };
    }
    const file = fileOf(this.#source);
    const logName = path.basename(logOf(file));
    const digests = new Map(given).set(logName, logDigests(this.files, log));
    const isUnchanged: ReplaceOptions["isUnchanged"] = (pathOf) =>
      this.#isUnchanged(pathOf) && (sha256OfFile(pathOf(logName)) ?? null) === digests.get(logName)?.before;
    const files = new Map([
      [path.basename(file), content ?? null],
      [logName, log],
    ]);
    if (content !== undefined) replaceInPlace(streamPlace(file), files, { digests, isUnchanged });
    return { path: this.files.name, copied: undefined };
  }

  /** The log comes first, so that a stream never stands without its own. */
  #writeNew(content: ByteSource, log: ByteSource | null, file: string): void {
    if (file === "") throw new UsageError("the new file has no name");
    assertFree(file);
    const from = this.#source instanceof FileSource ? this.#source.path : undefined;
    const write = (temporary: string, beside: PinnedDirectory): void => {
      writeSource(temporary, content, { from, sync: true });
      if (!this.#isUnchanged(() => from ?? ""))
        throw new EditError("the stream was changed by another program meanwhile", { file: this.files.name });
      assertFree(file, beside.at(path.basename(file)));
      const logName = path.basename(logOf(file));
      if (log === null) fs.rmSync(beside.at(logName), { force: true });
      else createFile(beside.at(logName), (made) => writeSource(made, log, { from, sync: true }));
    };
    createFile(file, write, { isNew: true });
  }
}

/**
 * Whether a file is the one that was opened, without reading it again: inode, size and both times. The stream is asked for
 * by its name.
 */
function unchanged(source: ByteSource): ReplaceOptions["isUnchanged"] {
  if (!(source instanceof FileSource)) return () => true;
  return (pathOf) => stampAt(pathOf(path.basename(realPath(source)))) === source.stamp;
}

/** The file of a stream, with no symbolic link in its path: the log stands beside it. */
function realPath({ path: file }: FileSource): string {
  return fs.realpathSync(file);
}

/** Errors: UNSUPPORTED for a stream that came through a pipe. */
function fileOf(source: ByteSource): string {
  if (source instanceof FileSource) return realPath(source);
  throw new UnsupportedError(
    "this stream comes through a pipe, so there is no file to change; use -o FILE, or -o - for stdout",
    { file: source.name },
  );
}
