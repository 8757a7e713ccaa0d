import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { NewRecord } from "../../formats/linux-cr/stream-writer.js";
import {
  UNLINKED_FLAG,
  UNLINKED_KIND,
  UNLINKED_METHOD,
  UNLINKED_TYPES,
} from "../../formats/linux-cr/tables/dialect.js";
import { UNLINKED_EXTRA_FLAG } from "../../formats/linux-cr/tables/extensions-files.js";
import { textPayload } from "../../formats/linux-cr/write.js";
import { bytesToText, textToBytes } from "../../io/text.js";
import { wordBytes } from "../../io/words.js";
import { S_IFLNK, S_IFMT } from "../../linux/files.js";
import { NSEC_PER_SEC } from "../../linux/time.js";
import { NumberNames } from "../number-names.js";
import type { DeletedFile } from "../open-file.js";
import type { DeletedInode, FilePiece, Ghost } from "../stored-bytes.js";
import { decodeIdentity, timeFields } from "./file-identity.js";
import type { StreamReader } from "./reader.js";

const METHODS = new NumberNames<"link remap" | "ghost" | "copy">([
  [UNLINKED_METHOD.relink, "link remap"],
  [UNLINKED_METHOD.contents, "ghost"],
  [UNLINKED_METHOD.copy, "copy"],
]);
const { remove: REMOVED, "relative to the root": FROM_ROOT } = UNLINKED_FLAG;
const { hasAtime: HAS_ATIME, contentsEarlier: STANDS_EARLIER } = UNLINKED_EXTRA_FLAG;
/** Each chunk begins with its offset in the file. */
const CHUNK_HEAD = 8;
/** A chunk of contents at most: a reader holds a record in memory. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/** How a file comes back whose name was gone, by our FILE_UNLINKED record; undefined for a file that had one. */
export function decodeDeleted(reader: StreamReader, part: Part): DeletedFile | undefined {
  const found = reader.find(part, RECORDS.FILE_UNLINKED);
  if (found === undefined) return undefined;
  const { flags } = found.value;
  const method = METHODS.nameOf(found.value.method);
  const isGhost = method === "ghost";
  const holder = isGhost ? holderOf(reader, part) : part;
  const chunks = isGhost
    ? holder.parts
        .filter(({ rule }) => rule === "chunk")
        .map((each) => reader.get(each, RECORDS.BUFFER).index)
    : [];
  const [first] = chunks;
  const origin = reader.origin(found.index);
  return {
    method,
    path: reader.text(part, RECORDS.FILE_NAME),
    keptIn: isGhost
      ? `${origin.image}[${first ?? found.index}]`
      : (reader.text(part, RECORDS.FILE_NAME, 1) ?? ""),
    keptFile: undefined,
    isInMount: method === "link remap" && (flags & FROM_ROOT) === 0,
    isRemoved: (flags & REMOVED) !== 0,
    contents:
      first === undefined
        ? undefined
        : { record: first, offset: reader.image.payload(first).offset + CHUNK_HEAD },
    fileId: part.objref ?? 0,
    inode: decodeInode(reader, part),
    ghost: isGhost ? decodeGhost(reader, holder, chunks) : undefined,
    origin,
  };
}

function decodeInode(reader: StreamReader, part: Part): DeletedInode {
  const { kind, mode, uid, gid, size, ino } = reader.get(part, RECORDS.FILE_UNLINKED).value;
  const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
  const { inode, mtime } = decodeIdentity(reader, part) ?? {};
  return {
    mode: (mode & S_IFMT) === 0 ? (mode | (UNLINKED_TYPES[kind] ?? 0)) >>> 0 : mode,
    ...{ uid, gid, size, mtime },
    dev: inode?.dev,
    ino: ino === 0n ? undefined : ino,
    rdev: extra?.rdev || undefined,
    atime:
      extra !== undefined && (extra.flags & HAS_ATIME) !== 0
        ? extra.atime_sec * NSEC_PER_SEC + BigInt(extra.atime_nsec)
        : undefined,
  };
}

function decodeGhost(reader: StreamReader, holder: Part, chunks: readonly number[]): Ghost {
  const { image } = reader;
  const inode = decodeInode(reader, holder);
  const [first] = chunks;
  const isSymlink = (inode.mode & S_IFMT) === S_IFLNK && first !== undefined;
  return {
    ...inode,
    chunked: true,
    stored: chunks.reduce((sum, each) => sum + Math.max(0, image.payload(each).size - CHUNK_HEAD), 0),
    symlinkTarget: isSymlink ? bytesToText(image.bytes(first).subarray(CHUNK_HEAD)) : undefined,
    origin: reader.origin(reader.get(holder, RECORDS.FILE_UNLINKED).index),
    pieces: () => (isSymlink ? [] : chunks.map((each) => decodePiece(reader, each))),
  };
}

function decodePiece({ image }: StreamReader, buffer: number): FilePiece {
  const { offset, size } = image.payload(buffer);
  const head = image.read(offset, Math.min(CHUNK_HEAD, size));
  if (head.length < CHUNK_HEAD) throw image.error(buffer, "a chunk of a file begins with 8 bytes of offset");
  const at = image.byteOrder === "little-endian" ? head.readBigUInt64LE() : head.readBigUInt64BE();
  return { at: Number(at), source: image.source, offset: offset + CHUNK_HEAD, size: size - CHUNK_HEAD };
}

/** The FILE whose records hold the contents: files that share a deleted inode store them once. */
function holderOf(reader: StreamReader, part: Part): Part {
  const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
  if (extra === undefined || (extra.flags & STANDS_EARLIER) === 0) return part;
  return holdersByInode(reader).get(extra.inode_objref) ?? part;
}

const holders = new WeakMap<StreamReader, ReadonlyMap<number, Part>>();

function holdersByInode(reader: StreamReader): ReadonlyMap<number, Part> {
  let known = holders.get(reader);
  if (known === undefined) {
    known = new Map(
      [...reader.objects("FILE")].flatMap((part) => {
        const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
        const isFirst = extra !== undefined && (extra.flags & STANDS_EARLIER) === 0;
        return isFirst ? [[extra.inode_objref, part] as const] : [];
      }),
    );
    holders.set(reader, known);
  }
  return known;
}

/** What a checkpoint knows of a deleted file; the paths and the place in an image come with decoding. */
export type SavedFile = Pick<DeletedFile, "method" | "keptIn" | "isInMount" | "isRemoved" | "inode"> & {
  readonly ghost: Pick<Ghost, "symlinkTarget" | "pieces"> | undefined;
};

/** FILE_UNLINKED, and the path or the contents that bring the file back; these are with the first FILE of its inode. */
export function* encodeDeleted(
  { method, keptIn, isInMount, isRemoved, inode, ghost }: SavedFile,
  { file, isFirst }: { readonly file: number; readonly isFirst: boolean },
): Generator<NewRecord> {
  const chunks = ghost === undefined || !isFirst ? [] : [...chunksOf(ghost)];
  const kind = UNLINKED_TYPES.indexOf(inode.mode & S_IFMT);
  yield {
    kind: RECORDS.FILE_UNLINKED,
    fields: {
      file_objref: file,
      method: METHODS.numberOf(method as "ghost"),
      kind: kind <= 0 ? UNLINKED_KIND.regular : kind,
      ...{ mode: inode.mode, uid: inode.uid, gid: inode.gid, size: inode.size },
      nr_chunks: chunks.length,
      flags: ghost === undefined ? (isRemoved ? REMOVED : 0) | (isInMount ? 0 : FROM_ROOT) : 0,
      ino: inode.ino ?? 0n,
    },
  };
  if (ghost === undefined)
    yield { kind: RECORDS.FILE_NAME, fields: {}, payload: textPayload(RECORDS.FILE_NAME, keptIn) };
  for (const { at, data } of chunks)
    yield {
      kind: RECORDS.BUFFER,
      fields: {},
      payload: [wordBytes("u64", [at], "offset in a deleted file"), data],
    };
}

/** The contents in ascending order, holes left out; of a symbolic link where it leads. */
function* chunksOf({ symlinkTarget, pieces }: Pick<Ghost, "symlinkTarget" | "pieces">) {
  if (symlinkTarget !== undefined) yield { at: 0, data: textToBytes(symlinkTarget) };
  else
    for (const { at, source, offset, size } of pieces())
      for (let done = 0; done < size; done += CHUNK_BYTES)
        yield {
          at: at + done,
          data: { source, offset: offset + done, size: Math.min(CHUNK_BYTES, size - done) },
        };
}

/** UNLINKED_EXTRA: which FILEs are the same file (`number`), and whether the contents stand with an earlier one. */
export function encodeUnlinkedExtra(
  { atime, rdev }: DeletedInode,
  file: number,
  { number, standsEarlier }: { readonly number: number; readonly standsEarlier: boolean },
): NewRecord {
  const time = timeFields(atime ?? 0n);
  return {
    kind: RECORDS.UNLINKED_EXTRA,
    fields: {
      file_objref: file,
      inode_objref: number,
      atime_sec: time.seconds,
      atime_nsec: time.nanoseconds,
      rdev: rdev ?? 0,
      flags: (atime === undefined ? 0 : HAS_ATIME) | (standsEarlier ? STANDS_EARLIER : 0),
    },
  };
}
