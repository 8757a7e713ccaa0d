import type { FileSet } from "../../io/file-set.js";
import type { ByteSource } from "../../io/source.js";

/** A file or directory of a tree. */
export interface TreeEntry {
  /** File type as a noun: `a regular file`, `a directory`, `a symbolic link` … */
  readonly type: string;
}

/** Files in directories, on disk or as members of an archive, by paths without a leading slash. No link is followed. */
export interface FileTree {
  /** For messages, and for commands to paste: the archive or directory. */
  readonly name: string;
  /** The entries of a directory, `""` for the root; undefined if there is no such directory. */
  list(directory: string): ReadonlyMap<string, TreeEntry> | undefined;
  /** The regular file of that path; undefined if there is none. Errors: FormatError INVALID for another type of file. */
  open(path: string): ByteSource | undefined;
  /** The files of one directory as an image set that is called `name`. */
  set(directory: string, name: string): FileSet;
  close(): void;
}

/** New contents of files of a tree by path; null takes one away. */
export type TreeChanges = ReadonlyMap<string, ByteSource | null>;

/** Joins components of a path in a tree, without the empty ones. */
export function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}

/** Whether there is a regular file of that path. */
export function hasFile(tree: FileTree, path: string): boolean {
  return entryOf(tree, path)?.type === "a regular file";
}

/** Whether there is a directory of that path. */
export function hasDirectory(tree: FileTree, path: string): boolean {
  return tree.list(path) !== undefined;
}

/** The entry of that path; undefined if there is none. */
export function entryOf(tree: FileTree, path: string): TreeEntry | undefined {
  const cut = path.lastIndexOf("/");
  return tree.list(path.slice(0, Math.max(0, cut)))?.get(path.slice(cut + 1));
}
