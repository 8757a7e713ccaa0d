import fs from "node:fs";
import path from "node:path";
import { BackendError } from "../../../io/errors.js";
import { createPrivate } from "../../../io/private-file.js";
import { textToBytes } from "../../../io/text.js";
import { ENOENT, EXDEV } from "../../../linux/errno.js";
import type { FileUser } from "../../backend.js";
import { copyFile } from "../files/file-data.js";
import type { Journal } from "../journal.js";
import type { HostLeases } from "../locks/host-leases.js";
import { Names, type OwnName } from "../names.js";
import { withRightsOf } from "../sys/file-user.js";
import { errnoName } from "../sys/kernel-error.js";

/** The ways to save a file that has no name any more. */
export type DeletedMethod = "contents" | "copy" | "relink";

/** A deleted file that is to be saved. */
export interface DeletedInode {
  readonly stat: fs.BigIntStats;
  /** What the kernel called it when it had a name. */
  readonly path: string;
  /** A link of /proc that leads to it. */
  readonly link: string;
}

/** How a deleted file is saved, and for `copy` and `relink` the name that holds it. */
interface Saved {
  readonly method: DeletedMethod;
  readonly substitute?: string | undefined;
}

/**
 * The names that keep deleted files, one for each. They are part of the image: once it is whole they stay, and the
 * restore that uses them removes them. Until then they are in the journal.
 */
export class Substitutes {
  /** Why a file cannot be saved the way that was asked for. */
  readonly unsupported: string[] = [];
  readonly #names: Names;
  readonly #known = new Map<string, Saved>();

  constructor(
    journal: Journal,
    /** Whose rights to files links are made with. */
    readonly user: FileUser | undefined,
    /** Undefined: a link where the file has another name left, which goes on leading to the same file; else contents. */
    readonly wish: DeletedMethod | undefined,
    readonly directory: string | undefined,
    readonly leases: HostLeases,
    readonly log: (line: string) => void,
  ) {
    this.#names = new Names(journal);
  }

  /** Saves a file; the same answer for every descriptor of one file. */
  save(inode: DeletedInode): Saved {
    const key = `${inode.stat.dev}:${inode.stat.ino}`;
    const saved = this.#known.get(key) ?? this.#save(inode);
    this.#known.set(key, saved);
    return saved;
  }

  #save(inode: DeletedInode): Saved {
    const { stat } = inode;
    if (this.wish !== "relink" && stat.nlink === 0n && stat.isFile() && this.leases.forbidsReading(stat))
      this.unsupported.push(
        `${inode.path} is deleted and has a lease, which reading its contents would break`,
      );
    switch (this.wish) {
      case "relink":
        // Nothing is lost when a fifo, a directory or a node without a name is made anew.
        return stat.isFile() || stat.nlink > 0n ? this.#relink(inode, true) : { method: "contents" };
      case "copy":
        return stat.isFile() ? this.#copy(inode) : { method: "contents" };
      case "contents":
        return { method: "contents" };
      default:
        return stat.nlink > 0n && !stat.isDirectory() ? this.#relink(inode, false) : { method: "contents" };
    }
  }

  #relink({ stat, path: name, link }: DeletedInode, isDemand: boolean): Saved {
    const wanted = this.#names.fresh(this.directory ?? nearest(path.posix.dirname(name)), name);
    const made = withRightsOf(this.user, () => this.#names.link(link, wanted));
    if (typeof made !== "number") {
      this.log(`relinked ${name} (inode ${stat.ino}) as ${made.path}`);
      return { method: "relink", substitute: made.path };
    }
    if (isDemand)
      this.unsupported.push(`${name} cannot be relinked: ${why(-made, path.posix.dirname(wanted))}`);
    else this.log(`${name} is saved by its contents: ${why(-made, path.posix.dirname(wanted))}`);
    return { method: "contents" };
  }

  #copy({ stat, path: name, link }: DeletedInode): Saved {
    if (this.directory === undefined) {
      this.unsupported.push(`${name} cannot be copied: name a directory for it with --relink-dir`);
      return { method: "contents" };
    }
    const made: OwnName = this.#names.make(this.directory, name, (to) => {
      const target = createPrivate(textToBytes(to));
      const source = fs.openSync(link, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      try {
        const way = copyFile(source, target);
        this.log(`copied ${name} (inode ${stat.ino}, ${stat.size} bytes) to ${to} by ${way}`);
      } finally {
        fs.closeSync(source);
        fs.closeSync(target);
      }
    });
    return { method: "copy", substitute: made.path };
  }
}

/** The directory, or the nearest one above that is there. */
function nearest(directory: string): string {
  const stat = fs.statSync(textToBytes(directory), { throwIfNoEntry: false });
  return stat?.isDirectory() || directory === "/" ? directory : nearest(path.posix.dirname(directory));
}

function why(errno: number, directory: string): string {
  switch (errno) {
    case ENOENT:
      return "it has no name left, and the kernel gives such a file none: use --deleted copy or contents";
    case EXDEV:
      return `${directory} is on another file system or mount: name a directory on the file system of the file with --relink-dir`;
    default:
      return errnoName(errno);
  }
}

/** Errors: BackendError when there is no such directory. */
export function substituteDirectory(directory: string | undefined): string | undefined {
  if (directory === undefined) return undefined;
  const absolute = path.resolve(directory);
  if (!fs.statSync(textToBytes(absolute), { throwIfNoEntry: false })?.isDirectory())
    throw new BackendError(`${directory} is not a directory`);
  return fs.realpathSync(absolute);
}
