import { ConcatSource, withHoles } from "../../../io/concat.js";
import { CrimgError, FormatError } from "../../../io/errors.js";
import type { FileSet } from "../../../io/file-set.js";
import { irregularError } from "../../../io/file-sort.js";
import { MAX_PARENT_LEVELS, MAX_PATH_LENGTH, MAX_TAR_INDEX_BYTES } from "../../../io/limits.js";
import { SliceSource } from "../../../io/slice-source.js";
import type { ByteSource } from "../../../io/source.js";
import { UnpackedSource } from "../../../io/unpacked-source.js";
import { type FileTree, joined, type TreeEntry } from "../tree.js";
import { BLOCK_BYTES } from "./header.js";
import type { TarMember } from "./member.js";
import { readTar } from "./read.js";
import { paddingBytes } from "./write.js";

/** What a member or directory takes in memory, beside its texts, and what a part of a sparse one takes. */
const HELD_BYTES = 300;
const HELD_PART_BYTES = 40;

const DIRECTORY: TreeEntry = { type: "a directory" };

/** tar pads an archive to records of 20 blocks; a tape may have larger ones. */
const PADDING_BYTES = 128 * BLOCK_BYTES;

/** Two members of one path: what unpacks the archive uses the last. */
export interface Duplicate {
  readonly path: string;
  readonly first: TarMember;
  readonly last: TarMember;
}

/** The members of a tar archive as a tree; they are read where they are. */
export class TarTree implements FileTree {
  readonly #directories = new Map<string, Map<string, TreeEntry | TarMember>>([["", new Map()]]);
  #held = 0;
  /** The first few that were found. */
  readonly duplicates: Duplicate[] = [];
  /** Offset behind the last member. */
  readonly end: number;

  /**
   * Reads the headers of all members. Errors: FormatError of `readTar`; INVALID for a path that is absolute, leads out of
   * the archive by `..`, or through something that is no directory.
   */
  constructor(
    readonly source: ByteSource,
    readonly name: string,
  ) {
    let end = 0;
    for (const member of readTar(source)) {
      end = member.data + member.stored + paddingBytes(member.stored);
      this.#add(member);
    }
    this.end = end;
    if (source instanceof UnpackedSource) source.reach(end + PADDING_BYTES);
  }

  list(directory: string): ReadonlyMap<string, TreeEntry> | undefined {
    return this.#directories.get(directory);
  }

  open(path: string): ByteSource | undefined {
    const entry = this.#entry(path);
    if (entry === undefined) return undefined;
    const name = `${this.name}//${path}`;
    const member = this.#file(entry);
    if (member === undefined) throw irregularError(entry.type, name);
    return memberSource(this.source, member, name);
  }

  set(directory: string, name: string): FileSet {
    return new MemberFileSet(this, directory, name);
  }

  /** All directories, the root as `""`. */
  directories(): Iterable<string> {
    return this.#directories.keys();
  }

  /** The member of a path, as stored; undefined for a directory without a header, or no such path. */
  member(path: string): TarMember | undefined {
    const entry = this.#entry(path);
    return entry !== undefined && "start" in entry ? entry : undefined;
  }

  /** A regular file of a directory, without a sparse map; undefined if there is none. */
  anyFile(directory: string): TarMember | undefined {
    for (const entry of this.#directories.get(directory)?.values() ?? [])
      if ("start" in entry && entry.type === "a regular file" && entry.parts === undefined) return entry;
    return undefined;
  }

  close(): void {
    this.source.close();
  }

  #entry(path: string): TreeEntry | TarMember | undefined {
    const cut = path.lastIndexOf("/");
    return this.#directories.get(path.slice(0, Math.max(0, cut)))?.get(path.slice(cut + 1));
  }

  /** A regular file, or the one that a hard link is another name of; undefined for anything else. */
  #file(entry: TreeEntry | TarMember): TarMember | undefined {
    let file: TreeEntry | TarMember | undefined = entry;
    while (file !== undefined && "start" in file && file.type === "a hard link") {
      const target = this.#entry(pathInside(file.target ?? "") ?? "");
      // Of an earlier member only, as tar makes them.
      file = target !== undefined && "start" in target && target.start < file.start ? target : undefined;
    }
    return file !== undefined && "start" in file && file.type === "a regular file" ? file : undefined;
  }

  #add(member: TarMember): void {
    const { path } = member;
    if (path === "") return;
    this.#held +=
      HELD_BYTES + path.length + (member.target?.length ?? 0) + HELD_PART_BYTES * (member.parts?.length ?? 0);
    if (path.length > MAX_PATH_LENGTH || this.#held > MAX_TAR_INDEX_BYTES)
      throw new FormatError("TOO_LARGE", "tar archive with too many members, or too long names", {
        file: this.source.name,
        offset: member.start,
      });
    if (path.includes("\0")) throw invalid("has a NUL in its name", this.source, member);
    if (pathInside(path) !== path) throw invalid("leads out of the archive", this.source, member);
    const cut = path.lastIndexOf("/");
    const base = path.slice(cut + 1);
    const directory = this.#directory(path.slice(0, Math.max(0, cut)), member);
    const known = directory.get(base);
    if (member.type === "a directory") {
      if (known !== undefined && known.type !== member.type)
        throw invalid(`is a directory, and before it ${known.type}`, this.source, member);
      this.#directory(path, member);
      return;
    }
    if (known?.type === "a directory")
      throw invalid(`is ${member.type}, and before it a directory`, this.source, member);
    if (known !== undefined && this.duplicates.length < 10)
      this.duplicates.push({ path, first: known as TarMember, last: member });
    directory.set(base, member);
  }

  #directory(path: string, member: TarMember): Map<string, TreeEntry | TarMember> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    this.#held += HELD_BYTES;
    const cut = path.lastIndexOf("/");
    const above = this.#directory(path.slice(0, Math.max(0, cut)), member);
    const base = path.slice(cut + 1);
    const entry = above.get(base);
    if (entry !== undefined)
      throw invalid(`lies in ${JSON.stringify(path)}, which is ${entry.type}`, this.source, member);
    const made = new Map<string, TreeEntry | TarMember>();
    above.set(base, DIRECTORY);
    this.#directories.set(path, made);
    return made;
  }
}

/** A path without `..` and leading slash; undefined for one that leads out, or comes in by a name of a directory above. */
function pathInside(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return path.startsWith("/") || parts.includes("..") ? undefined : parts.join("/");
}

function invalid(why: string, { name }: ByteSource, { path, start }: TarMember): FormatError {
  return new FormatError("INVALID", `invalid tar archive: the member ${JSON.stringify(path)} ${why}`, {
    file: name,
    offset: start,
  });
}

/** The data of a member, holes of a sparse one as zeros. */
export function memberSource(source: ByteSource, member: TarMember, name: string): ByteSource {
  const { data, size, parts } = member;
  const linked = `${source.name}:${data}`;
  if (parts === undefined) return new SliceSource(source, data, size, name, linked);
  let stored = data;
  const ranges = parts.map((part) => {
    const range = { source, offset: stored, size: part.size, at: part.at };
    stored += part.size;
    return range;
  });
  return new ConcatSource(name, [...withHoles(ranges, size)]);
}

/** The members of one directory of an archive. */
class MemberFileSet implements FileSet {
  readonly #names: readonly string[];
  readonly #irregular = new Map<string, string>();
  readonly #open = new Map<string, ByteSource>();

  constructor(
    private readonly tree: TarTree,
    private readonly directory: string,
    readonly name: string,
    private readonly level = 0,
  ) {
    const names: string[] = [];
    for (const [name, { type }] of tree.list(directory) ?? [])
      if (type === "a regular file" || type === "a hard link") names.push(name);
      else this.#irregular.set(name, type);
    this.#names = names.sort();
  }

  names(): readonly string[] {
    return this.#names;
  }

  irregular(): ReadonlyMap<string, string> {
    return this.#irregular;
  }

  open(name: string): ByteSource | undefined {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const source = this.tree.open(joined(this.directory, name));
    if (source !== undefined) this.#open.set(name, source);
    return source;
  }

  modified(name: string): Date | undefined {
    const mtime = this.tree.member(joined(this.directory, name))?.mtime;
    return mtime === undefined ? undefined : new Date(mtime * 1000);
  }

  parent(): FileSet | undefined {
    const link = this.tree.member(joined(this.directory, "parent"));
    if (link === undefined) return undefined;
    const place = { file: `${this.tree.name}//${link.path}` };
    if (link.type !== "a symbolic link") return undefined;
    const target = resolved(this.directory, link.target ?? "");
    if (target === undefined)
      throw new FormatError(
        "INVALID",
        `the parent link ${JSON.stringify(link.target)} leads out of the archive`,
        place,
      );
    if (this.tree.list(target) === undefined)
      throw new CrimgError(
        "MISSING",
        `the parent of this incremental set, ${target}, is not in this archive; it is in the one of the pre-checkpoint`,
        place,
      );
    if (target === this.directory || this.level >= MAX_PARENT_LEVELS)
      throw new CrimgError("INVALID", "the parent link forms a cycle", place);
    return new MemberFileSet(this.tree, target, `${this.name}/parent`, this.level + 1);
  }

  close(): void {
    this.tree.close();
  }
}

/** Where a link in a directory leads; undefined when out of the archive. */
function resolved(directory: string, target: string): string | undefined {
  if (target.startsWith("/")) return undefined;
  const parts: string[] = directory.split("/").filter((part) => part !== "");
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}
