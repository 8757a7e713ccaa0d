import fs from "node:fs";
import path from "node:path";
import { fsPath, resolveInRoot } from "../../../io/rooted-path.js";

/** What a path of the image leads to below the root. */
export interface OnDisk {
  /** Path on this machine, links followed. */
  readonly path: string;
  readonly stat: fs.Stats;
}

/** What stands in the way to a path: its first component that is not there. */
export interface Missing {
  /** As the image names it. */
  readonly missing: string;
}

/** chattr(1): i. */
export const IMMUTABLE = "an immutable file";

/** The directory that stands for `/` of the restored tasks. Looks at names and stat(2) data only. */
export class RootTree {
  readonly #directories = new Map<string, string | undefined>();

  constructor(readonly root: string) {}

  /**
   * Follows a path as a restored program would, without ever leaving the root. Without `followLast` a symbolic link as
   * the last component is what is found, as with O_NOFOLLOW.
   */
  find(imagePath: string, { followLast } = { followLast: true }): OnDisk | Missing {
    const last = this.#last(imagePath);
    if (last !== undefined && !(followLast && last.stat.isSymbolicLink())) return last;
    const resolved = resolveInRoot(this.root, imagePath);
    const stat =
      resolved === undefined ? undefined : fs.statSync(fsPath(resolved), { throwIfNoEntry: false });
    if (resolved !== undefined && stat !== undefined) return { path: resolved, stat };
    return { missing: this.#firstMissing(imagePath) };
  }

  /** Where a path of the image would lie below the root, for commands that a person pastes; links are not followed. */
  pathOf(imagePath: string): string {
    return path.join(this.root, path.posix.normalize(imagePath));
  }

  /** Whether this user may make files in the directory. */
  isWritable(directory: OnDisk): boolean {
    try {
      fs.accessSync(fsPath(directory.path), fs.constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  /** Why nobody may write to a file, whatever their rights are, access(2); undefined where somebody may. */
  whyReadOnly(file: OnDisk): string | undefined {
    try {
      fs.accessSync(fsPath(file.path), fs.constants.W_OK);
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "EPERM"
        ? IMMUTABLE
        : code === "EROFS"
          ? "on a file system mounted read-only"
          : undefined;
    }
  }

  /** What the last component itself is, in two system calls: the directory is mostly known. */
  #last(imagePath: string): OnDisk | undefined {
    const slash = imagePath.lastIndexOf("/");
    const base = imagePath.slice(slash + 1);
    if (slash < 0 || base === "" || base === "." || base === "..") return undefined;
    const directory = this.#directory(imagePath.slice(0, slash));
    if (directory === undefined) return undefined;
    const file = `${directory}/${base}`;
    const stat = lookAt(file, fs.lstatSync);
    return stat === undefined ? undefined : { path: file, stat };
  }

  #directory(imagePath: string): string | undefined {
    if (!this.#directories.has(imagePath))
      this.#directories.set(imagePath, resolveInRoot(this.root, imagePath || "/"));
    return this.#directories.get(imagePath);
  }

  #firstMissing(imagePath: string): string {
    const parts = imagePath.split("/").filter((part) => part !== "");
    for (let length = 1; length < parts.length; length++) {
      const ancestor = `/${parts.slice(0, length).join("/")}`;
      if (this.#directory(ancestor) === undefined) return ancestor;
    }
    return imagePath;
  }
}

/** Undefined for what is not there, or cannot be looked at. */
function lookAt(
  file: string,
  stat: (path: string | Buffer, options: { throwIfNoEntry: false }) => fs.Stats | undefined,
): fs.Stats | undefined {
  try {
    return stat(fsPath(file), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

export function isMissing(found: OnDisk | Missing): found is Missing {
  return "missing" in found;
}
