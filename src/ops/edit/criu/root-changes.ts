import { codecOf } from "../../../formats/archive/codecs.js";
import { DELETED, ROOT_DIFF } from "../../../formats/archive/engine-files.js";
import { listAt, readJson } from "../../../formats/archive/json.js";
import type { TarMember } from "../../../formats/archive/tar/member.js";
import { readTar } from "../../../formats/archive/tar/read.js";
import { paddingBytes, ustarHeader } from "../../../formats/archive/tar/write.js";
import { EditError, isCrimgError, UnsupportedError } from "../../../io/errors.js";
import type { FileSet } from "../../../io/file-set.js";
import type { ByteSource } from "../../../io/source.js";
import type { Splice } from "../../../io/splice.js";
import { isFar } from "../../../io/unpacked-source.js";
import type { RootFile } from "../objects.js";

interface Diff {
  readonly source: ByteSource;
  readonly members: readonly TarMember[];
  /** Offset behind the last member. */
  readonly end: number;
}

/** The changed and deleted files of a container's root file system while edits are planned. */
export class RootChanges {
  #diff: Diff | undefined;
  readonly #dropped = new Set<TarMember>();
  readonly #added = new Map<string, RootFile>();
  readonly #restored = new Set<string>();

  constructor(private readonly files: FileSet) {}

  /** Gives what was there, in words. A deleted file of that path is not deleted any more. */
  add(file: RootFile): string | undefined {
    const [before] = this.#takeAway(file.path).map(([, what]) => what);
    this.#added.set(file.path, file);
    return before;
  }

  /** Gives what was there, by path. */
  drop(path: string): [path: string, what: string][] {
    return this.#takeAway(path);
  }

  /** Changed files that a path rule is about, and that stay where they are: at most a few. Reads nothing that is far. */
  below(isMoved: (path: string) => boolean): string[] {
    const source = this.files.open(ROOT_DIFF);
    if (source === undefined || isFar(source) || codecOf(source) !== undefined) return [];
    try {
      return this.#open()
        .members.map(({ path }) => `/${path}`)
        .filter(isMoved);
    } catch (error) {
      if (isCrimgError(error)) return []; // a damaged archive in which nothing is changed
      throw error;
    }
  }

  *splices(): Generator<[file: string, splices: Splice[]]> {
    if (this.#dropped.size + this.#added.size > 0) yield [ROOT_DIFF, this.#ofDiff()];
    const deleted = this.#restored.size === 0 ? undefined : this.files.open(DELETED);
    if (deleted === undefined) return;
    const left = this.#deletedPaths().filter((path) => !this.#restored.has(path));
    yield [DELETED, [{ offset: 0, size: deleted.size, bytes: Buffer.from(JSON.stringify(left)) }]];
  }

  #takeAway(path: string): [path: string, what: string][] {
    const isMeant = (each: string): boolean => each === path || each.startsWith(`${path}/`);
    const taken: [string, string][] = [];
    for (const member of this.#open().members) {
      const inside = `/${member.path}`;
      if (!isMeant(inside) || this.#dropped.has(member)) continue;
      this.#dropped.add(member);
      taken.push([inside, member.type === "a regular file" ? `${member.size} bytes` : member.type]);
    }
    for (const [added, { content }] of this.#added)
      if (isMeant(added)) {
        this.#added.delete(added);
        taken.push([added, `${content.length} bytes`]);
      }
    for (const deleted of this.#deletedPaths())
      if (isMeant(deleted) && !this.#restored.has(deleted)) {
        this.#restored.add(deleted);
        taken.push([deleted, "deleted"]);
      }
    return taken;
  }

  #deletedPaths(): string[] {
    const source = this.files.open(DELETED);
    const list = source === undefined ? [] : listAt([readJson(source)], "0");
    return list.filter((path) => typeof path === "string");
  }

  /** Errors: UNSUPPORTED for an archive without changed files, or with compressed ones. */
  #open(): Diff {
    if (this.#diff !== undefined) return this.#diff;
    const source = this.files.open(ROOT_DIFF);
    if (source === undefined)
      throw new UnsupportedError(
        `no ${ROOT_DIFF} beside the images, which has the changed files of a container`,
        {
          file: this.files.name,
        },
      );
    if (codecOf(source) !== undefined)
      throw new UnsupportedError(`${ROOT_DIFF} is compressed, as containerd writes it, and is read only`, {
        file: source.name,
      });
    const members = [...readTar(source)];
    const end = Math.max(0, ...members.map(({ data, stored }) => data + stored + paddingBytes(stored)));
    this.#diff = { source, members, end };
    return this.#diff;
  }

  /** Members are taken out where they are, and new ones come last. Errors: EDIT for a file that others are links to. */
  #ofDiff(): Splice[] {
    const { members, end } = this.#open();
    const gone = new Set([...this.#dropped].map(({ path }) => path));
    const link = members.find(
      (member) =>
        member.type === "a hard link" && !this.#dropped.has(member) && gone.has(member.target ?? ""),
    );
    if (link !== undefined)
      throw new EditError(`/${link.path} is a hard link to a file that would be taken away; take both away`, {
        file: this.files.name,
      });
    const out = [...this.#dropped]
      .sort((a, b) => a.start - b.start)
      .map(({ start, data, stored }): Splice => {
        const size = data + stored + paddingBytes(stored) - start;
        return { offset: start, size, bytes: Buffer.alloc(0) };
      });
    const bytes = Buffer.concat([...this.#added.values()].flatMap(memberOf));
    return bytes.length === 0 ? out : [...out, { offset: end, size: 0, bytes }];
  }
}

function memberOf({ path, content, mode, mtime }: RootFile): Buffer[] {
  const head = { path: path.slice(1), type: "a regular file", mode, uid: 0, gid: 0, mtime } as const;
  return [
    ustarHeader({ ...head, size: content.length }),
    content,
    Buffer.alloc(paddingBytes(content.length)),
  ];
}
