import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { bytesToText } from "../../io/text.js";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "../../linux/files.js";
import type { DeletedFile } from "../open-file.js";
import type { FilePiece, Ghost } from "../stored-bytes.js";
import type { StreamReader } from "./reader.js";

/** FILE_UNLINKED.method. */
const RELINK = 1;
const CONTENTS = 2;
/** FILE_UNLINKED.kind. */
const SYMLINK = 4;
/** Types of st_mode by FILE_UNLINKED.kind. */
const TYPES = [0, S_IFREG, S_IFDIR, S_IFIFO, S_IFLNK, S_IFCHR, S_IFBLK];
/** UNLINKED_EXTRA.flags: an earlier FILE of the same inode has the contents. */
const STANDS_EARLIER = 2;
/** Each chunk begins with its offset in the file. */
const CHUNK_HEAD = 8;

/** How a file comes back whose name was gone, by our FILE_UNLINKED record; undefined for a file that had one. */
export function deletedFile(reader: StreamReader, part: Part): DeletedFile | undefined {
  const found = reader.find(part, RECORDS.FILE_UNLINKED);
  if (found === undefined) return undefined;
  const isGhost = found.value.method === CONTENTS;
  const holder = isGhost ? holderOf(reader, part) : part;
  const chunks = isGhost ? holder.parts.filter(({ rule }) => rule === "chunk") : [];
  const [first] = chunks.map((chunk) => reader.get(chunk, RECORDS.BUFFER).index);
  const origin = reader.origin(found.index);
  return {
    method: isGhost ? "ghost" : found.value.method === RELINK ? "link remap" : "copy",
    path: reader.text(part, RECORDS.FILE_NAME),
    keptIn: isGhost
      ? `${origin.image}[${first ?? found.index}]`
      : (reader.text(part, RECORDS.FILE_NAME, 1) ?? ""),
    keptFile: undefined,
    contents:
      first === undefined
        ? undefined
        : { record: first, offset: reader.image.payload(first).offset + CHUNK_HEAD },
    fileId: part.objref ?? 0,
    ghost: isGhost ? ghostOf(reader, holder, chunks) : undefined,
    origin,
  };
}

function ghostOf(reader: StreamReader, holder: Part, chunks: readonly Part[]): Ghost {
  const { index, value } = reader.get(holder, RECORDS.FILE_UNLINKED);
  const { kind, uid, gid, size } = value;
  const mode = (value.mode & S_IFMT) === 0 ? (value.mode | (TYPES[kind] ?? 0)) >>> 0 : value.mode;
  const buffers = chunks.map((chunk) => reader.get(chunk, RECORDS.BUFFER).index);
  const [first] = buffers;
  const isSymlink = kind === SYMLINK && first !== undefined;
  return {
    ...{ mode, uid, gid, size, chunked: true },
    stored: buffers.reduce(
      (sum, buffer) => sum + Math.max(0, reader.image.payload(buffer).size - CHUNK_HEAD),
      0,
    ),
    symlinkTarget: isSymlink ? bytesToText(reader.image.bytes(first).subarray(CHUNK_HEAD)) : undefined,
    origin: reader.origin(index),
    pieces: () => (isSymlink ? [] : buffers.map((buffer) => pieceOf(reader, buffer))),
  };
}

function pieceOf({ image }: StreamReader, buffer: number): FilePiece {
  const { offset, size } = image.payload(buffer);
  const head = image.read(offset, Math.min(CHUNK_HEAD, size));
  if (head.length < CHUNK_HEAD) throw image.error(buffer, "a chunk of a file begins with 8 bytes of offset");
  const at = image.byteOrder === "little-endian" ? head.readBigUInt64LE() : head.readBigUInt64BE();
  return {
    at: Number(at),
    size: size - CHUNK_HEAD,
    read: (from, count) => image.source.read(offset + CHUNK_HEAD + from, count),
  };
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
