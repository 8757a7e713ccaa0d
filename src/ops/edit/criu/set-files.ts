import fs from "node:fs";
import path from "node:path";
import { isEngineFile } from "../../../formats/archive/engine-files.js";
import { kindOfFileName } from "../../../formats/criu/detect.js";
import { sha256OfFile } from "../../../io/digest.js";
import { EditError, UnsupportedError, UsageError } from "../../../io/errors.js";
import { DirectoryFileSet, type FileSet } from "../../../io/file-set.js";
import { type FileDigests, replaceInPlace } from "../../../io/in-place.js";
import { createDirectory, temporaryBeside } from "../../../io/new-directory.js";
import type { ByteSource } from "../../../io/source.js";
import { splicedFiles } from "../../../io/splice.js";
import type { CriuDocument } from "../../../model/document.js";
import type { EditTarget, ImageFiles, WrittenImage } from "../image-files.js";
import { EDIT_LOG, type EditLog, logDigests, readLog } from "../log.js";
import type { LogEntry } from "../log-entry.js";
import { setPlace } from "../place.js";
import type { Plan } from "../plan.js";
import { copySet } from "./copy-set.js";

/** The files of a set; the log is one of them. */
export class SetFiles implements ImageFiles {
  readonly files: FileSet;

  constructor(private readonly document: CriuDocument) {
    this.files = document.set.fileSet;
  }

  get log(): EditLog {
    return readLog(this.files);
  }

  nameIn(_target: EditTarget, name: string): string {
    return name;
  }

  assertUndoable(entries: readonly LogEntry[]): void {
    assertOfSet(entries, this.files.name);
  }

  write(
    changed: ReadonlyMap<string, ByteSource | null>,
    target: EditTarget,
    digests: ReadonlyMap<string, FileDigests>,
  ): WrittenImage {
    const files = setDirectory(this.document);
    const from = files.directory;
    const log = changed.get(EDIT_LOG);
    const all = new Map(digests);
    if (log !== undefined) all.set(EDIT_LOG, logDigests(this.files, log));
    const isUnchanged = (pathOf: (name: string) => string): boolean =>
      [...all].every(([name, { before }]) => (sha256OfFile(pathOf(name)) ?? null) === before);
    if (target.to === "in place") {
      const isSame = (pathOf: (name: string) => string): boolean =>
        files.isAt(pathOf(".")) && isUnchanged(pathOf);
      if (changed.size > 0) replaceInPlace(setPlace(from), changed, { digests: all, isUnchanged: isSame });
      return { path: from, copied: undefined };
    }
    const { path: directory, copy = false } = target;
    if (directory === "") throw new UsageError("the new directory has no name");
    const copied = createDirectory(directory, from, (temporary) => {
      const made = copySet(from, temporary, directory, changed, { copy });
      if (!isUnchanged((name) => path.join(from, name)))
        throw new EditError("the set was changed by another program meanwhile", { file: from });
      return made;
    });
    return { path: directory, copied };
  }
}

/** Errors: EDIT when the log of a set tells of files that edits never change; `file` is the name of the set. */
export function assertOfSet(entries: readonly LogEntry[], file: string): void {
  for (const { name } of entries.flatMap(({ files }) => files))
    if (kindOfFileName(name) === undefined && !isEngineFile(name))
      throw new EditError(
        `the log says that an edit changed ${JSON.stringify(name)}, which is neither an image file nor one that describes the container`,
        { file },
      );
}

/** An image set in a directory that is removed again. */
export interface TemporarySet {
  readonly directory: string;
  remove(): void;
}

/**
 * The set with a plan's changes in a temporary directory, which shares the pages with the original: beside it, so that
 * blocks can be shared, or where temporary files go when that is not allowed. For a restore that leaves the
 * original untouched. Errors: IO.
 */
export function temporarySet(document: CriuDocument, plan: Plan): TemporarySet {
  const from = setDirectory(document).directory;
  const directory = temporaryBeside(from);
  const remove = (): void => fs.rmSync(directory, { recursive: true, force: true });
  try {
    copySet(from, directory, directory, splicedFiles(document.set.fileSet, plan.splices), { copy: false });
  } catch (error) {
    remove();
    throw error;
  }
  return { directory, remove };
}

/** Errors: UNSUPPORTED for a set that is not a directory. */
function setDirectory(document: CriuDocument): DirectoryFileSet {
  const { fileSet } = document.set;
  if (fileSet instanceof DirectoryFileSet) return fileSet;
  throw new UnsupportedError("only image sets in a directory can be written", { file: document.name });
}
