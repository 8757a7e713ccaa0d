import fs from "node:fs";
import path from "node:path";
import { fsPath, resolveInRoot } from "../../io/rooted-path.js";
import { S_ISVTX } from "../../linux/files.js";
import type { Bearer } from "./bearer.js";

/** Bits of a permission, as in the mode of a file for others. */
export const READ = 4;
export const WRITE = 2;
export const SEARCH = 1;

/** What a user may do with the files below a root, by owners and modes: access control lists are not asked. */
export class Access {
  readonly #directories = new Map<string, boolean>();

  constructor(
    readonly root: string,
    readonly owner: Bearer,
  ) {}

  /** Whether the user may reach a path and has these permissions there; undefined for what is not there. */
  may(imagePath: string, wanted: number): boolean | undefined {
    const found = this.stat(imagePath);
    if (found === undefined) return undefined;
    return this.#mayReach(path.dirname(found.path)) && this.has(found.stat, wanted);
  }

  /** Whether the user may make a file at a path, with the directories that are not there. */
  mayMake(imagePath: string): boolean {
    const above = path.posix.dirname(imagePath);
    return this.may(above, WRITE | SEARCH) ?? (above !== imagePath && this.mayMake(above));
  }

  /** Whether the user may remove what lies at a path, unlink(2); undefined for what is not there. */
  mayRemove(imagePath: string): boolean | undefined {
    const there = this.stat(imagePath);
    const directory = this.stat(path.posix.dirname(imagePath));
    if (there === undefined || directory === undefined) return undefined;
    const isSticky = (directory.stat.mode & S_ISVTX) !== 0;
    const isOwn = [there, directory].some(({ stat }) => stat.uid === this.owner.uid);
    return (!isSticky || isOwn) && this.mayMake(imagePath);
  }

  /** What lies at a path, links followed. */
  stat(imagePath: string): { readonly path: string; readonly stat: fs.Stats } | undefined {
    const found = resolveInRoot(this.root, imagePath);
    const stat = found === undefined ? undefined : statOf(found);
    return found === undefined || stat === undefined ? undefined : { path: found, stat };
  }

  #mayReach(directory: string): boolean {
    const known = this.#directories.get(directory);
    if (known !== undefined) return known;
    const above = path.dirname(directory);
    const stat = statOf(directory);
    const may =
      (above === directory || this.#mayReach(above)) && stat !== undefined && this.has(stat, SEARCH);
    this.#directories.set(directory, may);
    return may;
  }

  /** Whether a file gives the user these permissions: the owner's bits alone count for the owner, path_resolution(7). */
  has({ uid, gid, mode }: fs.Stats, wanted: number): boolean {
    const shift = uid === this.owner.uid ? 6 : this.owner.gids.has(gid) ? 3 : 0;
    return ((mode >> shift) & wanted) === wanted;
  }
}

function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(fsPath(file), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
