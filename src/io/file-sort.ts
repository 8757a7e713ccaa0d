import type { Dirent, Stats } from "node:fs";
import { FormatError } from "./errors.js";

const SORTS = [
  ["isSymbolicLink", "a symbolic link"],
  ["isDirectory", "a directory"],
  ["isFIFO", "a FIFO"],
  ["isSocket", "a socket"],
  ["isCharacterDevice", "a character device"],
  ["isBlockDevice", "a block device"],
] as const;

/** What a name in a directory stands for, as a noun; undefined for a regular file. */
export function irregularSort(entry: Dirent | Stats): string | undefined {
  if (entry.isFile()) return undefined;
  return SORTS.find(([is]) => entry[is]())?.[1] ?? "no file";
}

/** The error for a file of an image that is no regular one: a link in a stranger's image may lead anywhere. */
export function irregularError(sort: string, file: string): FormatError {
  const link = sort === "a symbolic link" ? ", which was not followed" : "";
  return new FormatError("INVALID", `it is ${sort}${link}; a regular file was expected`, { file });
}
