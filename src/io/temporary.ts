import { randomBytes } from "node:crypto";
import { ownerState, ownerToken } from "./owner.js";
import { PinnedDirectory } from "./pinned-directory.js";

/** Name under which this process keeps what will be called `base`, in the same directory, until it is whole. */
export function temporaryName(base: string): string {
  return `${prefixOf(base)}${ownerToken()}-${randomBytes(4).toString("hex")}`;
}

/**
 * Removes what runs that were killed left in `parent` under temporary names of `base`. Only what belongs to the caller
 * goes, and only when its process has surely ended; what cannot be removed stays.
 */
export function removeAbandoned(parent: string, base: string): void {
  const prefix = prefixOf(base);
  let directory: PinnedDirectory;
  try {
    directory = PinnedDirectory.open(parent);
  } catch {
    return; // Whoever writes into it says why that cannot be done.
  }
  try {
    directory.assertPinned();
    for (const name of directory.names())
      if (name.startsWith(prefix)) removeDead(directory, name, name.slice(prefix.length));
  } catch {
    // A directory that cannot be listed.
  } finally {
    directory.close();
  }
}

/** Removes a member of the caller whose owner has ended. Gives whether it did. */
export function removeDead(directory: PinnedDirectory, name: string, token: string): boolean {
  if (ownerState(token, directory.path) !== "dead") return false;
  try {
    if (Number(directory.stat(name)?.uid) !== process.geteuid?.()) return false;
    directory.remove(name);
    return true;
  } catch {
    return false;
  }
}

function prefixOf(base: string): string {
  return `.${base}.crimg-`;
}
