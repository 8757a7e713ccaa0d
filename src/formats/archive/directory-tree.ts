import fs from "node:fs";
import path from "node:path";
import { ioError } from "../../io/errors.js";
import { DirectoryFileSet, type FileSet } from "../../io/file-set.js";
import { irregularSort } from "../../io/file-sort.js";
import { type ByteSource, FileSource } from "../../io/source.js";
import { entryOf, type FileTree, type TreeEntry } from "./tree.js";

/** A directory on disk. */
export class DirectoryTree implements FileTree {
  readonly #lists = new Map<string, ReadonlyMap<string, TreeEntry> | undefined>();

  constructor(
    readonly directory: string,
    readonly name: string = directory,
  ) {}

  list(directory: string): ReadonlyMap<string, TreeEntry> | undefined {
    if (!this.#lists.has(directory)) this.#lists.set(directory, this.#read(directory));
    return this.#lists.get(directory);
  }

  open(file: string): ByteSource | undefined {
    if (entryOf(this, file) === undefined) return undefined;
    return new FileSource(path.join(this.directory, file), path.join(this.name, file), { follow: false });
  }

  set(directory: string, name: string): FileSet {
    return new DirectoryFileSet(path.join(this.directory, directory), name);
  }

  close(): void {}

  #read(directory: string): ReadonlyMap<string, TreeEntry> | undefined {
    if (directory !== "" && entryOf(this, directory)?.type !== "a directory") return undefined;
    const full = path.join(this.directory, directory);
    try {
      const entries = fs.readdirSync(full, { withFileTypes: true });
      return new Map(
        entries.map((entry) => [entry.name, { type: irregularSort(entry) ?? "a regular file" }]),
      );
    } catch (error) {
      throw ioError("read the directory", path.join(this.name, directory), error);
    }
  }
}
