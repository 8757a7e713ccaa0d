import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "../../io/digest.js";
import { EditError, ioError } from "../../io/errors.js";
import { PinnedDirectory } from "../../io/pinned-directory.js";
import { createPrivate } from "../../io/private-file.js";
import { fsPath } from "../../io/rooted-path.js";
import { type ByteSource, FileSource } from "../../io/source.js";
import { removeAbandoned, temporaryName } from "../../io/temporary.js";
import { tryRemove } from "../../io/try-remove.js";

/** A file that an edit puts beside the image: the contents of a deleted file. Between the pieces it is a hole. */
export interface NewFile {
  /** Path as the image has it. */
  readonly path: string;
  /** Path on this host, below the root that was named, without links. */
  readonly hostPath: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly pieces: readonly { readonly at: number; readonly content: ByteSource }[];
}

const BLOCK = 64 * 1024;

/**
 * Writes new files; each appears whole, and never in place of another one. A file of that name with the very same bytes, as
 * an edit that was killed leaves it, is taken. What was made is removed by the function that comes back. Directories are
 * held open meanwhile, and no link in their place is followed.
 * Errors: EDIT for a file that is there, IO.
 */
export function writeNewFiles(files: readonly NewFile[]): () => void {
  const made: NewFile[] = [];
  const undo = (): void => {
    for (const file of made) inDirectory(file, (directory, name) => directory.remove(name));
  };
  try {
    for (const file of files) if (writeOne(file)) made.push(file);
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Errors: EDIT when another file has that name. */
export function assertNameIsFree(file: NewFile): void {
  inDirectory(file, (directory, name) => assertFree(directory, name, file));
}

function inDirectory<T>({ hostPath }: NewFile, work: (directory: PinnedDirectory, name: string) => T): T {
  const directory = PinnedDirectory.openReal(path.dirname(hostPath));
  try {
    return work(directory, path.basename(hostPath));
  } finally {
    directory.close();
  }
}

/** Whether the name is free, and not that of the same file. */
function assertFree(directory: PinnedDirectory, name: string, file: NewFile): boolean {
  const stat = directory.stat(name);
  if (stat === undefined) return true;
  if (stat.isFile() && isSame(directory, name, file)) return false;
  throw new EditError(
    "there is a file already, and crimg never writes over one; name another path in copy:PATH",
    { file: file.hostPath },
  );
}

function writeOne(file: NewFile): boolean {
  const { hostPath } = file;
  const { dir, base } = path.parse(hostPath);
  removeAbandoned(dir, base);
  return inDirectory(file, (directory, name) => {
    if (!assertFree(directory, name, file)) return false;
    const temporary = fsPath(directory.at(temporaryName(base)));
    try {
      fill(createPrivate(temporary), file);
      // Unlike a rename, a link never takes the place of a file that came meanwhile.
      fs.linkSync(temporary, fsPath(directory.at(name)));
      return true;
    } catch (error) {
      throw ioError("write the contents of a deleted file", hostPath, error);
    } finally {
      tryRemove(temporary);
    }
  });
}

function fill(fd: number, { size, mode, uid, gid, pieces }: NewFile): void {
  try {
    fs.ftruncateSync(fd, size);
    for (const { at, content } of pieces) {
      let offset = at;
      for (const chunk of chunksOf(content)) offset += fs.writeSync(fd, chunk, 0, chunk.length, offset);
    }
    giveTo(fd, uid, gid);
    fs.fchmodSync(fd, mode & 0o7777);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Only root may give files away; the mode is set after it, since that takes set-user-id bits. */
function giveTo(fd: number, uid: number, gid: number): void {
  try {
    fs.fchownSync(fd, uid, gid);
  } catch {
    // The restart checks no owner of a file that it opens by name.
  }
}

function isSame(directory: PinnedDirectory, name: string, file: NewFile): boolean {
  const fd = directory.openFile(name);
  try {
    const there = new FileSource(`/proc/self/fd/${fd}`, file.hostPath);
    const same = holdsSame(there, file);
    there.close();
    return same;
  } finally {
    fs.closeSync(fd);
  }
}

/** Whether a file has the size and the very bytes of another that is to be. */
export function holdsSame(there: ByteSource, { size, pieces }: Pick<NewFile, "size" | "pieces">): boolean {
  if (there.size !== size) return false;
  let at = 0;
  for (const piece of pieces) {
    if (!isZero(there, at, piece.at)) return false;
    at = piece.at;
    for (const chunk of chunksOf(piece.content)) {
      if (!there.read(at, chunk.length).equals(chunk)) return false;
      at += chunk.length;
    }
  }
  return isZero(there, at, size);
}

function isZero(source: ByteSource, from: number, to: number): boolean {
  for (let at = from; at < to; at += BLOCK)
    if (source.read(at, Math.min(BLOCK, to - at)).some((byte) => byte !== 0)) return false;
  return true;
}
