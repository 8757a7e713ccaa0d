import fs from "node:fs";
import { UsageError } from "../../io/errors.js";

/** Errors: USAGE when there is something under the name of a new file. */
export function assertFree(file: string): void {
  if (fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined)
    throw new UsageError("the file exists; name a new one, or edit it --in-place", { file });
}

/** What tells a file from others, and from what it was: inode, size and both times; empty if there is none. */
export function identityOf(file: string): string {
  const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
}
