import fs from "node:fs";
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
 * written to. Errors: USAGE for a symbolic link; those of the system.
 */
export function openPrivate(file: string): number {
  const old = replaceable(file);
  if (old === "device") return fs.openSync(file, O_WRONLY);
  if (old !== undefined) fs.unlinkSync(file);
  return createPrivate(file, old?.mode);
}

/**
 * What stands at a name for output: nothing, a file with its mode, or what is written to as it is. A link to a device or
 * pipe is one only below /dev, as /dev/stdout. Errors: USAGE for any other symbolic link, and for a directory.
 */
export function replaceable(file: string): { readonly mode: number } | "device" | undefined {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found;
  if (!found.isSymbolicLink()) return "device";
  if (file.startsWith("/dev/") && !fs.statSync(file).isFile()) return "device";
  throw new UsageError("it is a symbolic link, which is not followed; name the file itself", { file });
}
