import { randomBytes } from "node:crypto";
import { ownerState, ownerToken } from "./owner.js";
import { PinnedDirectory } from "./pinned-directory.js";
import { distrustDirectory } from "./trust.js";

/** Temporary name of `base`, in the same directory, until the file is complete. */
export function temporaryName(base: string): string {
  return `${prefixOf(base)}${ownerToken()}-${randomBytes(4).toString("hex")}`;
}

/**
 * Removes leftovers of killed runs in `parent` under temporary names of `base`: only those owned by the caller whose
 * process has certainly ended; failures are ignored.
 */
export function removeAbandoned(parent: string, base: string): void {
  const prefix = prefixOf(base);
  let directory: PinnedDirectory;
  try {
    directory = PinnedDirectory.open(parent);
  } catch {
    return; // Writing to it will report the error.
  }
  try {
    directory.assertPinned();
    for (const name of directory.names())
      if (name.startsWith(prefix)) removeDead(directory, name, name.slice(prefix.length));
  } catch {
    // A directory that is not readable.
  } finally {
    directory.close();
  }
}

/**
 * Removes a member owned by the caller whose process has ended. Returns whether it did. A directory stays where others
 * can rename: it could be one of the caller's that they gave that name.
 */
export function removeDead(directory: PinnedDirectory, name: string, token: string): boolean {
  if (ownerState(token, directory.path) !== "dead") return false;
  try {
    const stat = directory.stat(name);
    if (Number(stat?.uid) !== process.geteuid?.()) return false;
    if (stat?.isDirectory() && distrustDirectory(directory) !== undefined) return false;
    directory.remove(name);
    return true;
  } catch {
    return false;
  }
}

function prefixOf(base: string): string {
  return `.${base}.crimg-`;
}
