import { type FileSet, SourceFileSet } from "../../io/file-set.js";
import type { ByteSource } from "../../io/source.js";
import { type FileTree, joined, type TreeEntry } from "./tree.js";

/** Files from several places under one root, named as in a container archive, and directories that are trees themselves. */
export class SourceTree implements FileTree {
  constructor(
    readonly name: string,
    readonly files: ReadonlyMap<string, ByteSource>,
    readonly directories: ReadonlyMap<string, FileTree> = new Map(),
  ) {}

  list(directory: string): ReadonlyMap<string, TreeEntry> | undefined {
    if (directory === "")
      return new Map([
        ...[...this.files.keys()].map((name): [string, TreeEntry] => [name, { type: "a regular file" }]),
        ...[...this.directories.keys()].map((name): [string, TreeEntry] => [name, { type: "a directory" }]),
      ]);
    const [tree, rest] = this.#below(directory);
    return tree?.list(rest);
  }

  open(path: string): ByteSource | undefined {
    const [tree, rest] = this.#below(path);
    return tree === undefined ? this.files.get(path) : tree.open(rest);
  }

  set(directory: string, name: string): FileSet {
    const [tree, rest] = this.#below(directory);
    return tree?.set(rest, name) ?? new SourceFileSet(name, directory === "" ? this.files : new Map());
  }

  close(): void {
    for (const file of this.files.values()) file.close();
    for (const tree of this.directories.values()) tree.close();
  }

  #below(path: string): [tree: FileTree | undefined, rest: string] {
    const [first = "", ...rest] = path.split("/");
    return [this.directories.get(first), joined(...rest)];
  }
}
