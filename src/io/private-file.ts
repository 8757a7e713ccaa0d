import fs from "node:fs";
import path from "node:path";
import { UsageError } from "./errors.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, O_WRONLY } = fs.constants;

/** What holds memory or records is for its owner alone, and tighter where the file that it stems from is. */
export function privateMode(like = 0o600): number {
  return like & 0o600;
}

/**
 * Makes a file that holds memory, records or a log, the one way for all: private from its first moment, new, and no link
 * is followed at its name. `like` is the mode of what it stems from. Gives a descriptor. Errors: those of open(2).
 */
export function createPrivate(file: string | Buffer, like?: number): number {
  return fs.openSync(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, privateMode(like));
}

/**
 * Opens what a user named for output and takes an old file of that name away; a terminal, another device or a FIFO is
 * written to. Errors: USAGE as `replaceable`; those of the system.
 */
export function openPrivate(file: string): number {
  const old = replaceable(file);
  if (old === "device") return openDevice(file);
  if (old !== undefined) fs.unlinkSync(file);
  return createPrivate(file, old?.mode);
}

/**
 * What stands at a name for output: nothing, a file with its mode, or what is written to as it is. A link to a device or
 * pipe is one only in /dev, as /dev/stdout. Errors: USAGE for any other symbolic link, for a directory, and for a FIFO of
 * somebody else, who would read what comes.
 */
export function replaceable(file: string): { readonly mode: number } | "device" | undefined {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found;
  if (found.isSymbolicLink()) {
    if (!isInDev(file) || fs.statSync(file).isFile())
      throw new UsageError("it is a symbolic link, which is not followed; name the file itself", { file });
  } else assertNoStranger(found, file);
  return "device";
}

/**
 * Opens what `replaceable` found to be a device or FIFO, unless something else has its name by now.
 * Errors: USAGE for another thing; those of the system.
 */
export function openDevice(file: string): number {
  const fd = fs.openSync(file, O_WRONLY | (isInDev(file) ? 0 : O_NOFOLLOW));
  try {
    const found = fs.fstatSync(fd);
    if (found.isFile()) throw new UsageError("it became a file meanwhile; run the command again", { file });
    if (!isInDev(file)) assertNoStranger(found, file);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Where root alone makes names, as /dev/stdout and /dev/fd/3, and not in /dev/shm. */
function isInDev(file: string): boolean {
  return ["/dev", "/dev/fd"].includes(path.dirname(path.resolve(file)));
}

function assertNoStranger(found: fs.Stats, file: string): void {
  if (found.isFIFO() && found.uid !== 0 && found.uid !== process.geteuid?.())
    throw new UsageError(`it is a FIFO of user ${found.uid}, who would read what is written; name another`, {
      file,
    });
}
