import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { BackendError } from "../../../io/errors.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { OpenFileRecord } from "../files/image.js";

/** FILE_UNLINKED.method. */
const METHODS = { 1: "relink", 2: "contents", 3: "copy" } as const;
const REMOVE = 1;
/** UNLINKED_EXTRA.flags. */
const CONTENTS_ELSEWHERE = 2;

/** A deleted file with all its FILEs. */
export interface DeletedFile {
  /** What its FILEs have in common: the number of UNLINKED_EXTRA, or of the only FILE. */
  readonly inode: number;
  readonly files: readonly OpenFileRecord[];
  readonly method: "relink" | "contents" | "copy";
  /** The name that keeps it; empty with `contents`. */
  readonly substitute: string;
  /** Whether that name goes once it has served. */
  readonly removes: boolean;
  /** FILE_UNLINKED.kind. */
  readonly kind: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: bigint;
  readonly rdev: number;
}

/** The deleted files of an image, by each of their FILEs. Errors: FormatError for a damaged image. */
export function deletedFilesOf(
  reader: StreamReader,
  fileOf: (objref: number) => OpenFileRecord,
): ReadonlyMap<number, DeletedFile> {
  const groups = new Map<number, DeletedFile & { files: OpenFileRecord[] }>();
  for (const part of reader.objects("FILE")) {
    const unlinked = reader.find(part, RECORDS.FILE_UNLINKED)?.value;
    if (unlinked === undefined) continue;
    const objref = part.objref ?? 0;
    const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
    const file = fileOf(objref);
    const inode = extra?.inode_objref ?? -objref;
    const known = groups.get(inode);
    if (known !== undefined) {
      known.files.push(file);
      continue;
    }
    const { kind, mode, uid, gid, size, flags } = unlinked;
    const method = METHODS[unlinked.method as keyof typeof METHODS] ?? "contents";
    const name = method === "contents" ? "" : (reader.text(part, RECORDS.FILE_NAME, 1) ?? "");
    groups.set(inode, {
      ...{ inode, files: [file], method, kind, mode, uid, gid, size },
      // Counted from a root, with or without a slash.
      substitute: name === "" || name.startsWith("/") ? name : `/${name}`,
      removes: (flags & REMOVE) !== 0,
      rdev: extra?.rdev ?? 0,
    });
  }
  return new Map(
    [...groups.values()].flatMap((family) => family.files.map(({ objref }) => [objref, family])),
  );
}

/** Where a deleted symbolic link leads. */
export function linkTarget(reader: StreamReader, family: DeletedFile): Buffer {
  const [chunk] = chunksOf(reader, family);
  if (chunk === undefined)
    throw new BackendError(`the image has no target for the symbolic link ${family.files[0]?.path}`);
  return reader.image.source.read(chunk.offset, chunk.size);
}

/** Pieces of contents: where they belong in the file, and where they stand in the image. */
export function chunksOf(
  reader: StreamReader,
  { files }: DeletedFile,
): { readonly start: number; readonly offset: number; readonly size: number }[] {
  const holder = files.find(({ part }) => isHere(reader, part)) ?? files[0];
  return (holder?.part.parts ?? [])
    .filter(({ rule }) => rule === "chunk")
    .map((chunk) => {
      const { offset, size } = reader.image.payload(reader.get(chunk, RECORDS.BUFFER).index);
      const start = Number(reader.image.source.read(offset, 8).readBigUInt64LE());
      return { start, offset: offset + 8, size: size - 8 };
    });
}

function isHere(reader: StreamReader, part: Part): boolean {
  const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
  return extra === undefined || (extra.flags & CONTENTS_ELSEWHERE) === 0;
}
