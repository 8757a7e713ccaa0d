import fs from "node:fs";
import { CrimgError, ioError, isCrimgError } from "./errors.js";
import { privateMode } from "./private-file.js";
import { CHANGED } from "./source.js";

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** How an unchanged file was put into a new directory. */
export type Sharing = "reflink" | "hard link" | "copy";

export interface ShareOptions {
  /** Without reflinks, make a hard link (same file system only). */
  readonly hardLink: boolean;
  /** Always copy the bytes. */
  readonly copy: boolean;
}

/** Puts files into a directory, as reflinks of the originals where the file system supports them. */
export class FileSharer {
  #canReflink = true;
  #canLink = true;

  /**
   * `to` must not exist yet, in a directory that is private: a copy is, once it is made. `from` is opened once, and no
   * link in its place is followed. Errors: IO, INVALID for what is no regular file.
   */
  share(from: string, to: string, options: ShareOptions): Sharing {
    let fd: number | undefined;
    try {
      fd = fs.openSync(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stat = fs.fstatSync(fd);
      if (!stat.isFile()) throw new CrimgError("INVALID", "not a regular file", { file: from });
      const source = pathOf(fd, from);
      const isClone = !options.copy && this.#reflink(source, to);
      if (!isClone) {
        if (!options.copy && options.hardLink && this.#link(from, to, stat)) return "hard link";
        fs.copyFileSync(source, to, COPYFILE_EXCL);
      }
      fs.chmodSync(to, privateMode(stat.mode));
      // No image has the date of its dump; that of its files is all there is.
      fs.utimesSync(to, stat.atime, stat.mtime);
      return isClone ? "reflink" : "copy";
    } catch (error) {
      throw isCrimgError(error) ? error : ioError("copy to a new directory", from, error);
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  #reflink(from: string, to: string): boolean {
    if (!this.#canReflink) return false;
    try {
      fs.copyFileSync(from, to, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      if (isFatal(error)) throw error;
      fs.rmSync(to, { force: true });
      this.#canReflink = false;
      return false;
    }
  }

  /** A link is made by name: it must be one to the file that was opened. */
  #link(from: string, to: string, { dev, ino }: fs.Stats): boolean {
    if (!this.#canLink) return false;
    try {
      fs.linkSync(from, to);
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#canLink = false;
      return false;
    }
    const made = fs.lstatSync(to);
    if (made.dev === dev && made.ino === ino) return true;
    fs.rmSync(to);
    throw new CrimgError("IO", CHANGED, { file: from });
  }
}

/** A path to an open file, which nobody can replace; without /proc its own. */
function pathOf(fd: number, path: string): string {
  const open = `/proc/self/fd/${fd}`;
  return fs.existsSync(open) ? open : path;
}

/** Errors that a copy would hit too; others only mean that sharing is not possible here. */
function isFatal(error: unknown): boolean {
  return ["ENOENT", "EACCES", "EEXIST", "ENOSPC", "EROFS", "EISDIR", "EDQUOT"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );
}
