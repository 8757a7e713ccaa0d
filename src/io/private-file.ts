import fs from "node:fs";
import { dirname, parse, resolve } from "node:path";
import { UsageError } from "./errors.js";
import { PinnedDirectory } from "./pinned-directory.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, O_WRONLY } = fs.constants;

/** Mode of files with memory or records: only for the owner, and no wider than the source file. */
export function privateMode(like = 0o600): number {
  return like & 0o600;
}

/**
 * Creates a file for memory, records or a log: private from the start, new, and no symbolic link is followed. `like` is
 * the mode of the source. Returns a descriptor. Errors: those of open(2).
 */
export function createPrivate(file: string | Buffer, like?: number): number {
  return fs.openSync(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, privateMode(like));
}

/**
 * Opens an output file named by the user, replacing an old one; a terminal, another device or a FIFO is written to.
 * Errors: USAGE as `replaceable`; IO; those of the system.
 */
export function openPrivate(file: string): number {
  const name = new OutputName(file);
  try {
    return name.openPrivate();
  } finally {
    name.close();
  }
}

/**
 * The name of an output file that is made later: its directory is held open from now on, so that the file is made in it, and
 * an old one removed from it, whatever others put in the place of the directory meanwhile.
 */
export class OutputName {
  readonly directory: PinnedDirectory;
  /** The name in it. */
  readonly base: string;

  /** Errors: IO for a directory that cannot be opened. */
  constructor(readonly path: string) {
    const { dir, base } = parse(resolve(path));
    this.directory = PinnedDirectory.open(dir);
    this.base = base;
  }

  /** As the function of that name. */
  openPrivate(): number {
    return this.#openAnew((at, old) => createPrivate(at, old?.mode));
  }

  /** The same for a file that holds nothing of an image and that others may read, not write: whoever reads a pid believes it. */
  openReadable(): number {
    return this.#openAnew((at) => fs.openSync(at, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644));
  }

  close(): void {
    this.directory.close();
  }

  #openAnew(create: (at: string, old: { readonly mode: number } | undefined) => number): number {
    const at = this.directory.at(this.base);
    const old = replaceable(this.path, at);
    if (old === "device") return openDevice(this.path, at);
    if (old !== undefined) fs.unlinkSync(at);
    return create(at, old);
  }
}

/**
 * What exists at the name of an output file: nothing, a file with its mode, or a device or pipe to write to. A symbolic
 * link counts as one only in /dev, such as /dev/stdout. Errors: USAGE for any other link, for a directory, and for a FIFO
 * of another user, who would read the output. `at` is a path to it.
 */
export function replaceable(
  file: string,
  at: string = file,
): { readonly mode: number } | "device" | undefined {
  const found = fs.lstatSync(at, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found;
  if (found.isSymbolicLink()) {
    if (!isInDev(file) || fs.statSync(file).isFile())
      throw new UsageError("is a symbolic link (not followed); name the file itself", { file });
  } else assertOwnFifo(found, file);
  return "device";
}

/**
 * Opens a device or FIFO found by `replaceable`, unless the name refers to another file by now.
 * Errors: USAGE for a file or a FIFO of another user; those of the system.
 */
export function openDevice(file: string, at: string = file): number {
  const fd = fs.openSync(isInDev(file) ? file : at, O_WRONLY | (isInDev(file) ? 0 : O_NOFOLLOW));
  try {
    const found = fs.fstatSync(fd);
    if (found.isFile())
      throw new UsageError("replaced by a regular file meanwhile; run the command again", { file });
    if (!isInDev(file)) assertOwnFifo(found, file);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Directories in which only root creates names, such as /dev/stdout and /dev/fd/3, unlike /dev/shm. */
function isInDev(file: string): boolean {
  return ["/dev", "/dev/fd"].includes(dirname(resolve(file)));
}

function assertOwnFifo(found: fs.Stats, file: string): void {
  if (found.isFIFO() && found.uid !== 0 && found.uid !== process.geteuid?.())
    throw new UsageError(`is a FIFO of user ${found.uid}, who would read the output; name another file`, {
      file,
    });
}
