import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ioError, isCrimgError, UnsupportedError } from "./io/errors.js";
import { DirectoryFileSet, type FileSet } from "./io/file-set.js";
import { temporaryDirectory } from "./io/new-directory.js";
import { SpoolSource } from "./io/spool.js";
import { writeSource } from "./io/write-file.js";
import type { CriuDocument, Document } from "./model/document.js";
import { openFileSet, openStream } from "./open.js";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** A copy of an image that only the caller can change. */
export interface PrivateCopy {
  readonly document: Document;
  remove(): void;
}

/** Whether only the caller can change an image: a pipe spooled to an unlinked file. */
export function isPrivate(document: Document): boolean {
  return document.family === "linux-cr" && document.image.source instanceof SpoolSource;
}

/**
 * Copies an image, with its parents, to the system's temporary directory, since its owner could change it during the
 * checks. No symbolic link in it is followed. Errors: IO, FormatError if it is no longer an image.
 */
export function privateCopy(document: Document): PrivateCopy {
  if (document.family === "linux-cr") {
    const copy = openStream(new SpoolSource(document.image.source, document.name, os.tmpdir()));
    return { document: copy, remove: () => copy.close() };
  }
  return copyOfSet(document.set.fileSet, document.name);
}

/** The same of a set, wherever its files are. `name`: for messages. Errors: IO, FormatError. */
export function copyOfSet(files: FileSet, name: string): PrivateCopy & { readonly document: CriuDocument } {
  const directory = temporaryDirectory(os.tmpdir(), "restore");
  const remove = (): void => fs.rmSync(directory, { recursive: true, force: true });
  try {
    copyInto(directory, files);
    const copy = openFileSet(new DirectoryFileSet(directory, name));
    return {
      document: copy,
      remove() {
        copy.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function copyInto(to: string, files: FileSet): void {
  if (files instanceof DirectoryFileSet) copyDirectory(files, to);
  else
    for (const name of files.names()) {
      const content = files.open(name);
      if (content !== undefined) writeSource(path.join(to, name), content, { sync: false });
    }
  const parent = files.parent();
  if (parent === undefined) return;
  fs.mkdirSync(path.join(to, "parent"), { mode: 0o700 });
  copyInto(path.join(to, "parent"), parent);
}

function copyDirectory(files: DirectoryFileSet, to: string): void {
  const from = fs.openSync(fs.realpathSync(files.directory), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    for (const name of files.names()) copyFile(`/proc/self/fd/${from}/${name}`, path.join(to, name), name);
  } finally {
    fs.closeSync(from);
  }
}

/** Copies the file that was opened, even if it is renamed or replaced meanwhile. */
function copyFile(from: string, to: string, name: string): void {
  let fd: number | undefined;
  try {
    fd = fs.openSync(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fs.fstatSync(fd).isFile()) throw new UnsupportedError("not a regular file", { file: name });
    fs.copyFileSync(`/proc/self/fd/${fd}`, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("copy", name, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
