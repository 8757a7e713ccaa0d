import fs from "node:fs";
import path from "node:path";
import { CrimgError, ioError } from "./errors.js";
import { irregularError, irregularSort } from "./file-sort.js";
import { type ByteSource, FileSource } from "./source.js";

/** The files of one image set by name: a directory, or the members of an archive. */
export interface FileSet {
  /** Path for messages and for commands to paste. */
  readonly name: string;
  /** Names of the regular files, sorted by code units. */
  names(): readonly string[];
  /** File types of other entries by name: `a symbolic link`. They cannot be opened. */
  irregular?(): ReadonlyMap<string, string>;
  /** The file of that name; undefined if missing. Errors: FormatError INVALID if not a regular file. */
  open(name: string): ByteSource | undefined;
  /** When the file was last modified, if known. */
  modified?(name: string): Date | undefined;
  /** The set that a `parent` link points to (incremental sets); undefined without such a link. */
  parent(): FileSet | undefined;
  close(): void;
}

/** An image directory. */
export class DirectoryFileSet implements FileSet {
  readonly #open = new Map<string, FileSource>();
  readonly #names: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #irregular = new Map<string, string>();
  readonly #parents: DirectoryFileSet[] = [];
  readonly #inode: string;
  /** Modification time of the directory, in ns; undefined if it is too recent to detect a later change by it. */
  readonly #replaced: bigint | undefined;

  constructor(
    readonly directory: string,
    readonly name: string = directory,
    /** Real paths of the sets that this one is a parent of. */
    private readonly children: readonly string[] = [],
  ) {
    try {
      const { mtimeNs, dev, ino } = fs.statSync(directory, { bigint: true });
      this.#inode = `${dev} ${ino}`;
      this.#replaced = isLongAgo(mtimeNs) ? mtimeNs : undefined;
      const names: string[] = [];
      for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
        const sort = irregularSort(entry);
        if (sort === undefined) names.push(entry.name);
        else this.#irregular.set(entry.name, sort);
      }
      this.#names = names.sort();
    } catch (error) {
      throw ioError("read the image directory", name, error);
    }
    this.#known = new Set(this.#names);
  }

  names(): readonly string[] {
    return this.#names;
  }

  irregular(): ReadonlyMap<string, string> {
    return this.#irregular;
  }

  open(name: string): ByteSource | undefined {
    const sort = this.#irregular.get(name);
    if (sort !== undefined) throw irregularError(sort, path.join(this.name, name));
    if (!this.#known.has(name)) return undefined;
    let source = this.#open.get(name);
    if (source === undefined) {
      source = new FileSource(path.join(this.directory, name), path.join(this.name, name), {
        follow: false,
      });
      this.#open.set(name, source);
    }
    return source;
  }

  modified(name: string): Date | undefined {
    return fs.statSync(path.join(this.directory, name), { throwIfNoEntry: false })?.mtime;
  }

  parent(): FileSet | undefined {
    const link = path.join(this.directory, "parent");
    try {
      fs.lstatSync(link);
    } catch {
      return undefined;
    }
    let parent: string;
    try {
      parent = fs.realpathSync(link);
    } catch (error) {
      throw new CrimgError("MISSING", "the parent link of this incremental set is dangling", {
        file: link,
        cause: error,
      });
    }
    const chain = [...this.children, fs.realpathSync(this.directory)];
    if (chain.includes(parent))
      throw new CrimgError("INVALID", "the parent link forms a cycle", {
        file: link,
      });
    const set = new DirectoryFileSet(parent, path.join(this.name, "parent"), chain);
    this.#parents.push(set);
    return set;
  }

  /** Whether a path leads to the directory that was read. */
  isAt(directory: string): boolean {
    const { dev, ino } = fs.statSync(directory, { bigint: true });
    return `${dev} ${ino}` === this.#inode;
  }

  /** The sets, this one and its parents, whose directories changed since they were opened. */
  *touched(): Generator<DirectoryFileSet> {
    const stat = fs.statSync(this.directory, { bigint: true, throwIfNoEntry: false });
    if (this.#replaced === undefined || stat?.mtimeNs !== this.#replaced) yield this;
    for (const parent of this.#parents) yield* parent.touched();
  }

  /** The name of a file that was replaced after it was read; undefined if there is none. */
  replacedFile(): string | undefined {
    for (const [name, source] of this.#open) if (!source.isCurrent()) return name;
    return undefined;
  }

  close(): void {
    for (const source of this.#open.values()) source.close();
  }
}

/** Longer than the timestamp granularity of any file system. */
const TICK_NS = 2_000_000_000n;

function isLongAgo(mtimeNs: bigint): boolean {
  return BigInt(Date.now()) * 1_000_000n - mtimeNs > TICK_NS;
}

/** Files overlaid on another set: the result of an edit, read as if it had been written. */
export class OverlayFileSet implements FileSet {
  constructor(
    readonly base: FileSet,
    readonly changed: ReadonlyMap<string, ByteSource | null>,
  ) {}

  get name(): string {
    return this.base.name;
  }

  names(): readonly string[] {
    const names = new Set(this.base.names());
    for (const [name, file] of this.changed) file === null ? names.delete(name) : names.add(name);
    return [...names].sort();
  }

  irregular(): ReadonlyMap<string, string> {
    return this.base.irregular?.() ?? new Map();
  }

  open(name: string): ByteSource | undefined {
    const file = this.changed.get(name);
    return file === undefined ? this.base.open(name) : (file ?? undefined);
  }

  parent(): FileSet | undefined {
    return this.base.parent();
  }

  close(): void {
    this.base.close();
  }
}

/** Files that are not on disk (yet). Closing it does not close the sources they are read from. */
export class SourceFileSet implements FileSet {
  constructor(
    readonly name: string,
    readonly files: ReadonlyMap<string, ByteSource>,
  ) {}

  names(): readonly string[] {
    return [...this.files.keys()].sort();
  }

  open(name: string): ByteSource | undefined {
    return this.files.get(name);
  }

  parent(): undefined {
    return undefined;
  }

  close(): void {}
}
