import type { BigIntStats, Dirent, Stats } from "node:fs";
import { FormatError } from "./errors.js";

const SORTS = [
  ["isSymbolicLink", "a symbolic link"],
  ["isDirectory", "a directory"],
  ["isFIFO", "a FIFO"],
  ["isSocket", "a socket"],
  ["isCharacterDevice", "a character device"],
  ["isBlockDevice", "a block device"],
] as const;

/** The file type of a directory entry, as a noun; undefined for a regular file. */
export function irregularSort(entry: Dirent | Stats | BigIntStats): string | undefined {
  if (entry.isFile()) return undefined;
  return SORTS.find(([is]) => entry[is]())?.[1] ?? "of unknown type";
}

/** The error for a file of an image that is not a regular file: a symbolic link in an untrusted image may point anywhere. */
export function irregularError(sort: string, file: string): FormatError {
  const link = sort === "a symbolic link" ? " (not followed)" : "";
  return new FormatError("INVALID", `is ${sort}${link}; expected a regular file`, { file });
}
