import fs from "node:fs";
import path from "node:path";
import { ioError } from "./errors.js";
import { isPrivateGroup } from "./users.js";

/** A user who could have written or replaced a file. */
export interface Writer {
  /** Undefined for all members of a group, or for everyone. */
  readonly uid: number | undefined;
  /** The file or directory that gives access. */
  readonly by: string;
}

const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const STICKY = 0o1000;
/** As many symbolic links as Linux follows in one path. */
const MAX_LINKS = 40;
/** An open file by its descriptor, proc_pid_fd(5). */
const DESCRIPTOR = /^\/proc\/[^/]+\/fd\/\d+$/;
/** Length of the only line of uid_map where no user namespace was made. */
const WHOLE_RANGE = 0xffff_ffff;

/** Users who could have written the file at a path, except root and `trusted`, by owner, mode and all parent directories. */
export class Writers {
  readonly #found = new Map<number | undefined, Writer>();
  readonly #seen = new Set<string>();

  constructor(readonly trusted: number) {}

  get all(): readonly Writer[] {
    return [...this.#found.values()];
  }

  /** Adds those of a file or directory. Errors: IO. */
  addPath(file: string): void {
    try {
      this.#walk(path.resolve(file), false, 0);
    } catch (error) {
      throw ioError("determine the owner", file, error);
    }
  }

  /** Adds those of an open file, which cannot be replaced. */
  addOpen(stat: fs.Stats, name: string): void {
    this.#add(stat, name);
  }

  /** `isAbove`: a parent directory. */
  #walk(file: string, isAbove: boolean, links: number): void {
    if (this.#seen.has(file) || links > MAX_LINKS) return;
    this.#seen.add(file);
    if (DESCRIPTOR.test(file)) {
      // Such a link refers to the open file itself, which may be unlinked.
      this.#add(fs.statSync(file), file);
      return;
    }
    const above = path.dirname(file);
    if (above !== file) this.#walk(above, true, links);
    const stat = fs.lstatSync(file);
    if (!isAbove || stat.uid !== unmappedUid()) this.#add(stat, file);
    if (stat.isSymbolicLink())
      this.#walk(path.resolve(fs.realpathSync(above), fs.readlinkSync(file)), isAbove, links + 1);
  }

  #add({ uid, gid, mode }: fs.Stats, by: string): void {
    this.#addUid(uid, by);
    const isLink = (mode & fs.constants.S_IFMT) === fs.constants.S_IFLNK;
    const isDirectory = (mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR;
    // In a sticky directory only owners remove files; new files are checked themselves.
    if (isLink || (isDirectory && mode & STICKY)) return;
    const isShared = mode & OTHER_WRITE || (mode & GROUP_WRITE && gid !== 0 && !isPrivateGroup(gid, uid));
    if (isShared) this.#found.set(undefined, { uid: undefined, by });
  }

  #addUid(uid: number, by: string): void {
    if (uid !== 0 && uid !== this.trusted && !this.#found.has(uid)) this.#found.set(uid, { uid, by });
  }
}

/** The overflow uid, which represents all unmapped users in a user namespace, user_namespaces(7); else undefined. */
function unmappedUid(): number | undefined {
  try {
    const [, , count] = fs.readFileSync("/proc/self/uid_map", "latin1").trim().split(/\s+/);
    if (Number(count) === WHOLE_RANGE) return undefined;
    return Number(fs.readFileSync("/proc/sys/kernel/overflowuid", "latin1"));
  } catch {
    return undefined;
  }
}
