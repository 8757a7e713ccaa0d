import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { BackendError, isCrimgError } from "../../io/errors.js";
import { bytesToText, textToBytes } from "../../io/text.js";
import { EEXIST } from "../../linux/errno.js";
import { AT_FDCWD, AT_SYMLINK_FOLLOW, RENAME_NOREPLACE } from "../../linux/files.js";
import type { Journal } from "./journal.js";
import { SYS } from "./sys/abi-x64.js";
import { errnoName } from "./sys/kernel-error.js";
import { attempt, cString } from "./sys/syscall.js";

const NAME_BYTES = 200;
const MARK = ".crimg-";

/** A name on disk of this run; it is in the journal until it is removed or kept. */
export interface OwnName {
  readonly path: string;
  remove(): void;
}

/** Gives the file of a descriptor's link (`/proc/self/fd/N`) one more name. The result is 0 or -errno, link(2). */
function linkTo(link: string, name: string): number {
  return attempt(SYS.linkat, AT_FDCWD, cString(link), AT_FDCWD, cString(name), AT_SYMLINK_FOLLOW);
}

/** Names of this run in the directories of others, each noted in the journal before it is made. */
export class Names {
  constructor(readonly journal: Journal) {}

  /** A path in `directory` that no other program chooses; `like` is what the file is called. */
  fresh(directory: string, like = "file"): string {
    // A name of an earlier run is not made longer by this one.
    const [, plain = like] = /^\.crimg-[0-9a-f]{12}-(.*)$/s.exec(path.posix.basename(like)) ?? [];
    const short = bytesToText(textToBytes(path.posix.basename(plain)).subarray(0, NAME_BYTES));
    return path.posix.join(directory, `${MARK}${randomBytes(6).toString("hex")}-${short}`);
  }

  /** A file, directory or node that `make` makes under a path of our own. */
  make(directory: string, like: string, make: (path: string) => void): OwnName {
    const own = this.fresh(directory, like);
    const id = this.journal.name(own);
    try {
      make(own);
    } catch (error) {
      // What was begun, as a copy for which there was no room.
      removeName(own);
      this.journal.forget(id);
      if (isCrimgError(error)) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new BackendError(`cannot make ${like} in ${directory}: ${code ?? String(error)}`, {
        cause: error,
      });
    }
    return this.#own(own, id);
  }

  /** Moves what was made to the path that it is to have. False when that is taken, or the file system cannot tell. */
  move(from: OwnName, to: string): OwnName | undefined {
    const { dev, ino } = fs.lstatSync(textToBytes(from.path), { bigint: true });
    const id = this.journal.name(to, { dev, ino });
    const result = attempt(
      SYS.renameat2,
      AT_FDCWD,
      cString(from.path),
      AT_FDCWD,
      cString(to),
      RENAME_NOREPLACE,
    );
    if (result === 0) return this.#own(to, id);
    this.journal.forget(id);
    return undefined;
  }

  /** One more name for the file of a descriptor's link, `wanted` if that is free; -errno when it cannot have one. */
  link(link: string, wanted: string): OwnName | number {
    const { dev, ino } = fs.statSync(link, { bigint: true });
    for (let name = wanted; ; name = this.fresh(path.posix.dirname(wanted), wanted)) {
      const id = this.journal.name(name, { dev, ino });
      const result = linkTo(link, name);
      if (result === 0) return this.#own(name, id);
      this.journal.forget(id);
      if (result !== -EEXIST) return result;
    }
  }

  /** Makes the directories of a path that are not there, for as long as `use` runs. */
  withDirectories<T>(directory: string, use: () => T): T {
    const missing: string[] = [];
    for (let at = directory; !fs.existsSync(textToBytes(at)); at = path.posix.dirname(at)) missing.push(at);
    const made: OwnName[] = [];
    try {
      for (const each of missing.reverse()) {
        const own = this.make(path.posix.dirname(each), each, (name) =>
          fs.mkdirSync(textToBytes(name), 0o700),
        );
        made.push(own);
        const moved = this.move(own, each);
        if (moved === undefined) throw new BackendError(`cannot make the temporary directory ${each}`);
        made[made.length - 1] = moved;
      }
      return use();
    } finally {
      for (const each of made.reverse()) each.remove();
    }
  }

  #own(name: string, id: number): OwnName {
    return {
      path: name,
      remove: () => {
        removeName(name);
        this.journal.forget(id);
      },
    };
  }
}

/** Removes a name, be it a directory's or a file's; one that is gone is no error. */
export function removeName(name: string): void {
  try {
    const bytes = textToBytes(name);
    if (fs.lstatSync(bytes).isDirectory()) fs.rmdirSync(bytes);
    else fs.unlinkSync(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new BackendError(`cannot remove ${name}`, { cause: error });
  }
}

/** mknod(2); `rdev` as stat(2) gives it. Errors: BackendError. */
export function makeNode(name: string, mode: number, rdev: number): void {
  const result = attempt(SYS.mknodat, AT_FDCWD, cString(name), mode, rdev);
  if (result < 0) throw new BackendError(`cannot make ${name}: ${errnoName(-result)}`);
}
