import fs from "node:fs";
import path from "node:path";
import { chunksOf } from "../../io/digest.js";
import { EditError, ioError } from "../../io/errors.js";
import { createPrivate } from "../../io/private-file.js";
import { fsPath } from "../../io/rooted-path.js";
import { type ByteSource, FileSource } from "../../io/source.js";
import { removeAbandoned, temporaryName } from "../../io/temporary.js";

/** A file that an edit puts beside the image: the contents of a deleted file. Between the pieces it is a hole. */
export interface NewFile {
  /** Path as the image has it. */
  readonly path: string;
  /** Path on this host, below the root that was named. */
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
 * an edit that was killed leaves it, is taken. What was made is removed by the function that comes back.
 * Errors: EDIT for a file that is there, IO.
 */
export function writeNewFiles(files: readonly NewFile[]): () => void {
  const made: (string | Buffer)[] = [];
  const undo = (): void => {
    for (const file of made) fs.rmSync(file, { force: true });
  };
  try {
    for (const file of files) if (writeOne(file)) made.push(fsPath(file.hostPath));
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Errors: EDIT when another file has that name. */
export function assertNameIsFree(file: NewFile): void {
  if (fs.lstatSync(fsPath(file.hostPath), { throwIfNoEntry: false }) !== undefined && !isSame(file))
    throw new EditError(
      "there is a file already, and crimg never writes over one; name another path in copy:PATH",
      { file: file.hostPath },
    );
}

function writeOne(file: NewFile): boolean {
  const { hostPath, mode, uid, gid } = file;
  const { dir, base } = path.parse(hostPath);
  const temporary = fsPath(path.join(dir, temporaryName(base)));
  try {
    removeAbandoned(dir, base);
    assertNameIsFree(file);
    if (isSame(file)) return false;
    const fd = createPrivate(temporary);
    try {
      fs.ftruncateSync(fd, file.size);
      for (const { at, content } of file.pieces) {
        let offset = at;
        for (const chunk of chunksOf(content)) offset += fs.writeSync(fd, chunk, 0, chunk.length, offset);
      }
      giveTo(fd, uid, gid);
      fs.fchmodSync(fd, mode & 0o7777);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    // Unlike a rename, a link never takes the place of a file that came meanwhile.
    fs.linkSync(temporary, fsPath(hostPath));
    return true;
  } catch (error) {
    throw error instanceof EditError
      ? error
      : ioError("write the contents of a deleted file", hostPath, error);
  } finally {
    fs.rmSync(temporary, { force: true });
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

function isSame(file: NewFile): boolean {
  const stat = fs.lstatSync(fsPath(file.hostPath), { throwIfNoEntry: false });
  return stat?.isFile() === true && holdsSame(file.hostPath, file);
}

/** Whether a file on this host has the size and the very bytes of another that is to be. */
export function holdsSame(hostPath: string, { size, pieces }: Pick<NewFile, "size" | "pieces">): boolean {
  const stat = fs.statSync(fsPath(hostPath));
  if (stat.size !== size) return false;
  const there = new FileSource(hostPath);
  try {
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
  } finally {
    there.close();
  }
}

function isZero(source: ByteSource, from: number, to: number): boolean {
  for (let at = from; at < to; at += BLOCK)
    if (source.read(at, Math.min(BLOCK, to - at)).some((byte) => byte !== 0)) return false;
  return true;
}
