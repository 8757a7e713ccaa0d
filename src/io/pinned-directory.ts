import fs from "node:fs";
import { CrimgError, ioError, isCrimgError, UnsupportedError } from "./errors.js";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/**
 * A directory held open, whose members are reached through its descriptor: whatever its path leads to later, they are
 * those of the directory that was opened. `/proc/self/fd/N/NAME` stands for the *at() calls that Node does not have; where
 * /proc is not mounted (or is not Linux's) the path has to do, and `assertPinned` refuses.
 */
export class PinnedDirectory {
  private constructor(
    /** Path for messages. */
    readonly path: string,
    readonly fd: number,
    /** A path to the directory for this process. */
    readonly inside: string,
  ) {}

  /** The directory a user named; links in its path are followed. Errors: IO. */
  static open(path: string): PinnedDirectory {
    return PinnedDirectory.#open(path, path, 0);
  }

  static #open(path: string, at: string, flags: number): PinnedDirectory {
    let fd: number;
    try {
      fd = fs.openSync(at, O_RDONLY | O_DIRECTORY | flags);
    } catch (error) {
      throw ioError("open the directory", path, error);
    }
    const inside = `/proc/self/fd/${fd}`;
    return new PinnedDirectory(path, fd, leadsTo(fd, inside) ? inside : path);
  }

  /** Errors: UNSUPPORTED where members can only be reached by the path. */
  assertPinned(): void {
    if (this.inside === this.path)
      throw new UnsupportedError("crimg edits in place only where /proc is mounted", { file: this.path });
  }

  /** A path to a member for this process. `name` must be a plain name. */
  at(name: string): string {
    return `${this.inside}/${name}`;
  }

  /** A directory in it, which is no symbolic link. Errors: IO. */
  directory(name: string): PinnedDirectory {
    return PinnedDirectory.#open(`${this.path}/${name}`, this.at(name), O_NOFOLLOW);
  }

  /** Descriptor of a regular file in it; links are not followed. Errors: IO, INVALID for another kind of file. */
  openFile(name: string, flags: number = O_RDONLY): number {
    const file = `${this.path}/${name}`;
    let fd: number;
    try {
      fd = fs.openSync(this.at(name), flags | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      throw ioError("open it", file, error);
    }
    if (fs.fstatSync(fd).isFile()) return fd;
    fs.closeSync(fd);
    throw new CrimgError("INVALID", "not a regular file", { file });
  }

  /** What a name stands for, a link for itself; undefined for nothing. */
  stat(name: string): fs.BigIntStats | undefined {
    return fs.lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
  }

  /** The directory itself. */
  self(): fs.BigIntStats {
    return fs.fstatSync(this.fd, { bigint: true });
  }

  names(): string[] {
    return fs.readdirSync(this.at("."));
  }

  /** Makes the names in it durable. */
  sync(): void {
    fs.fsyncSync(this.fd);
  }

  /** Removes a member with all that is in it; a link is removed, not followed. Errors: those of the system. */
  remove(name: string): void {
    if (!this.stat(name)?.isDirectory()) {
      fs.unlinkSync(this.at(name));
      return;
    }
    const inner = this.directory(name);
    try {
      for (const each of inner.names()) inner.remove(each);
    } finally {
      inner.close();
    }
    fs.rmdirSync(this.at(name));
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

/** Runs `work` with what is at `inside` or below it; its errors name that by `file`, as a user knows it. */
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
