import type fs from "node:fs";
import type { PinnedDirectory } from "./pinned-directory.js";
import { isPrivateGroup } from "./users.js";

/** Why an entry is not trusted as crimg's own; undefined for a private directory of the caller. */
export function distrustEntry(stat: fs.BigIntStats): string | undefined {
  if (stat.isSymbolicLink()) return "is a symbolic link";
  if (!stat.isDirectory()) return "not a directory";
  if (Number(stat.uid) !== process.geteuid?.()) return `owned by uid ${stat.uid}`;
  return (stat.mode & 0o77n) === 0n ? undefined : "accessible by other users";
}

/** Who else could have renamed files in a directory; undefined for nobody. */
export function distrustDirectory(directory: PinnedDirectory): string | undefined {
  const { uid, gid, mode } = directory.self();
  if (uid !== 0n && Number(uid) !== process.geteuid?.()) return `the directory is owned by uid ${uid}`;
  // In a sticky directory only the owner of a file can rename or remove it, unlink(2).
  if ((mode & 0o1000n) !== 0n) return undefined;
  const isShared =
    (mode & 0o002n) !== 0n || ((mode & 0o020n) !== 0n && !isPrivateGroup(Number(gid), Number(uid)));
  return isShared ? "the directory is writable by other users" : undefined;
}
