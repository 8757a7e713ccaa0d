import fs from "node:fs";
import { ioError } from "./errors.js";
import { privateMode } from "./private-file.js";

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

  /** `to` must not exist yet, in a directory that is private: a copy is, once it is made. Errors: IO. */
  share(from: string, to: string, options: ShareOptions): Sharing {
    try {
      const isClone = !options.copy && this.#reflink(from, to);
      if (!isClone) {
        if (!options.copy && options.hardLink && this.#link(from, to)) return "hard link";
        fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
      }
      fs.chmodSync(to, privateMode(fs.statSync(to).mode));
      return isClone ? "reflink" : "copy";
    } catch (error) {
      throw ioError(`copy to ${to}`, from, error);
    }
  }

  #reflink(from: string, to: string): boolean {
    if (!this.#canReflink) return false;
    try {
      fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      if (isFatal(error)) throw error;
      fs.rmSync(to, { force: true });
      this.#canReflink = false;
      return false;
    }
  }

  #link(from: string, to: string): boolean {
    if (!this.#canLink) return false;
    try {
      fs.linkSync(from, to);
      return true;
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#canLink = false;
      return false;
    }
  }
}

/** Errors that a copy would hit too; others only mean that sharing is not possible here. */
function isFatal(error: unknown): boolean {
  return ["ENOENT", "EACCES", "EEXIST", "ENOSPC", "EROFS", "EISDIR", "EDQUOT"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );
}
