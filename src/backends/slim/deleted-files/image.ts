import fs from "node:fs";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { AT_FDCWD, S_IALLUGO } from "../../../linux/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { copyFile } from "../files/file-data.js";
import type { OpenFileRecord } from "../files/image.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";

/** FILE_UNLINKED.method. */
const METHODS = { 1: "relink", 2: "contents", 3: "copy" } as const;
const SYMLINK = 4;
const REMOVE = 1;
/** UNLINKED_EXTRA.flags and FILE_IDENTITY.flags. */
const HAS_ATIME = 1;
const CONTENTS_ELSEWHERE = 2;
const HAS_MTIME = 8;
const UTIME_OMIT = (1n << 30n) - 2n;
const CHUNK = 1 << 20;

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

/** Writes the contents of a deleted regular file into `fd`: from its copy, or from the image, open as `image`. */
export function fillDeleted(reader: StreamReader, image: number, family: DeletedFile, fd: number): void {
  if (family.method === "copy") {
    const source = fs.openSync(textToBytes(family.substitute), "r");
    try {
      copyFile(source, fd);
    } finally {
      fs.closeSync(source);
    }
    return;
  }
  const buffer = Buffer.alloc(CHUNK);
  for (const { start, offset, size } of chunksOf(reader, family))
    for (let done = 0; done < size; ) {
      const got = fs.readSync(image, buffer, 0, Math.min(CHUNK, size - done), offset + done);
      if (got === 0) throw new BackendError("the image ended before the contents of a deleted file");
      fs.writeSync(fd, buffer, 0, got, start + done);
      done += got;
    }
  call("give a deleted file its size", SYS.ftruncate, fd, family.size);
}

/** Where a deleted symbolic link leads. */
export function linkTarget(reader: StreamReader, family: DeletedFile): Buffer {
  const [chunk] = chunksOf(reader, family);
  if (chunk === undefined)
    throw new BackendError(`the image has no target for the symbolic link ${family.files[0]?.path}`);
  return reader.image.source.read(chunk.offset, chunk.size);
}

/** Owner, permissions and times; `link` leads to the file. A link and a node keep the permissions they were made with. */
export function setAttributes(reader: StreamReader, family: DeletedFile, link: string): void {
  const { uid, gid, mode, kind } = family;
  const now = fs.statSync(link);
  if (now.uid !== uid || now.gid !== gid) fs.chownSync(link, uid, gid);
  if (kind !== SYMLINK) fs.chmodSync(link, mode & S_IALLUGO);
  const times = Buffer.alloc(32);
  const put = (at: number, seconds: bigint | undefined, nanoseconds: number): void => {
    times.writeBigInt64LE(seconds ?? 0n, at);
    times.writeBigInt64LE(seconds === undefined ? UTIME_OMIT : BigInt(nanoseconds), at + 8);
  };
  const [{ part }] = family.files as [OpenFileRecord];
  const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
  const identity = reader.find(part, RECORDS.FILE_IDENTITY)?.value;
  const atime = extra !== undefined && (extra.flags & HAS_ATIME) !== 0 ? extra : undefined;
  const mtime = identity !== undefined && (identity.flags & HAS_MTIME) !== 0 ? identity : undefined;
  put(0, atime?.atime_sec, atime?.atime_nsec ?? 0);
  put(16, mtime?.mtime_sec, mtime?.mtime_nsec ?? 0);
  call("give a deleted file its times", SYS.utimensat, AT_FDCWD, Buffer.from(`${link}\0`), times, 0);
}

/** Pieces of contents: where they belong in the file, and where they stand in the image. */
function chunksOf(
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
