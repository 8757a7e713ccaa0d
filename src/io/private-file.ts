import fs from "node:fs";
import { UsageError } from "./errors.js";

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
 * Errors: USAGE for a symbolic link; those of the system.
 */
export function openPrivate(file: string): number {
  const old = replaceable(file);
  if (old === "device") return fs.openSync(file, O_WRONLY);
  if (old !== undefined) fs.unlinkSync(file);
  return createPrivate(file, old?.mode);
}

/**
 * What exists at the name of an output file: nothing, a file with its mode, or a device or pipe to write to. A symbolic
 * link counts as one only below /dev, such as /dev/stdout. Errors: USAGE for any other link, and for a directory.
 */
export function replaceable(file: string): { readonly mode: number } | "device" | undefined {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found;
  if (!found.isSymbolicLink()) return "device";
  if (file.startsWith("/dev/") && !fs.statSync(file).isFile()) return "device";
  throw new UsageError("is a symbolic link (not followed); name the file itself", { file });
}
