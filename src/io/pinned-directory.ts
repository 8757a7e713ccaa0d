import fs from "node:fs";
import { CrimgError, ioError, isCrimgError, UnsupportedError } from "./errors.js";
import { fsPath } from "./rooted-path.js";
import { bytesToText } from "./text.js";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/**
 * A directory held open, whose members are accessed through its descriptor: even if its path changes, they are those of
 * the opened directory. `/proc/self/fd/N/NAME` replaces the *at() calls that Node does not have; where /proc is not
 * mounted (or is not Linux's) the path is used, and `assertPinned` throws.
 */
export class PinnedDirectory {
  private constructor(
    /** Path for messages. */
    readonly path: string,
    readonly fd: number,
    /** A path to the directory for this process. */
    readonly inside: string,
  ) {}

  /** A directory named by the user; symbolic links in its path are followed. Errors: IO. */
  static open(path: string): PinnedDirectory {
    return PinnedDirectory.#open(path, path, 0);
  }

  /**
   * A directory by its absolute path without links, as it was resolved: none is followed that came since.
   * Errors: IO; UNSUPPORTED without /proc.
   */
  static openReal(path: string): PinnedDirectory {
    const found = PinnedDirectory.open(path);
    try {
      found.assertPinned();
      if (bytesToText(fs.readlinkSync(found.inside, "buffer")) !== path)
        throw new CrimgError("IO", "replaced by a symbolic link meanwhile; run the command again", {
          file: path,
        });
      return found;
    } catch (error) {
      found.close();
      throw error;
    }
  }

  /** A directory that this process made; a link in its place is not followed. Errors: IO. */
  static openNew(path: string): PinnedDirectory {
    return PinnedDirectory.#open(path, path, O_NOFOLLOW);
  }

  static #open(path: string, at: string, flags: number): PinnedDirectory {
    let fd: number;
    try {
      fd = fs.openSync(fsPath(at), O_RDONLY | O_DIRECTORY | flags);
    } catch (error) {
      throw ioError("open the directory", path, error);
    }
    const inside = `/proc/self/fd/${fd}`;
    return new PinnedDirectory(path, fd, leadsTo(fd, inside) ? inside : path);
  }

  /** Errors: UNSUPPORTED if members can be accessed only by path. */
  assertPinned(): void {
    if (this.inside === this.path)
      throw new UnsupportedError("writing in a directory of others requires a mounted /proc", {
        file: this.path,
      });
  }

  /** A path to a member for this process. `name` must be a plain name. */
  at(name: string): string {
    return `${this.inside}/${name}`;
  }

  /** A subdirectory, which must not be a symbolic link. Errors: IO. */
  directory(name: string): PinnedDirectory {
    return PinnedDirectory.#open(`${this.path}/${name}`, this.at(name), O_NOFOLLOW);
  }

  /** Descriptor of a regular file in it; links are not followed. Errors: IO, INVALID for another kind of file. */
  openFile(name: string, flags: number = O_RDONLY): number {
    const file = `${this.path}/${name}`;
    let fd: number;
    try {
      fd = fs.openSync(fsPath(this.at(name)), flags | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      throw ioError("open", file, error);
    }
    if (fs.fstatSync(fd).isFile()) return fd;
    fs.closeSync(fd);
    throw new CrimgError("INVALID", "not a regular file", { file });
  }

  /** lstat(2) of a member; undefined if missing. */
  stat(name: string): fs.BigIntStats | undefined {
    return fs.lstatSync(fsPath(this.at(name)), { bigint: true, throwIfNoEntry: false });
  }

  /** fstat(2) of the directory. */
  self(): fs.BigIntStats {
    return fs.fstatSync(this.fd, { bigint: true });
  }

  names(): string[] {
    return fs.readdirSync(this.at("."), "buffer").map((name) => bytesToText(name));
  }

  /** Makes the names in it durable. */
  sync(): void {
    fs.fsyncSync(this.fd);
  }

  /** Removes a member recursively; a symbolic link is removed, not followed. Errors: those of the system. */
  remove(name: string): void {
    if (!this.stat(name)?.isDirectory()) {
      fs.unlinkSync(fsPath(this.at(name)));
      return;
    }
    const inner = this.directory(name);
    try {
      for (const each of inner.names()) inner.remove(each);
    } finally {
      inner.close();
    }
    fs.rmdirSync(fsPath(this.at(name)));
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

/** Runs `work`; in its errors the path `inside`, and any path below it, becomes `file`, the name that the user gave. */
export function withPath<T>(inside: string, file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isCrimgError(error) || error.file?.startsWith(inside) !== true) throw error;
    const { code, text, cause } = error;
    throw new CrimgError(code, text, { file: file + error.file.slice(inside.length), cause });
  }
}

function leadsTo(fd: number, directory: string): boolean {
  const [there, open] = [
    fs.statSync(directory, { bigint: true, throwIfNoEntry: false }),
    fs.fstatSync(fd, { bigint: true }),
  ];
  return there?.ino === open.ino && there.dev === open.dev;
}
