import { fileNameOf } from "../../../formats/criu/detect.js";
import type { CriuImage } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { GhostFileEntry } from "../../../formats/criu/tables/ghost-file.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Piece, SourceRange } from "../../../io/concat.js";
import { textToBytes } from "../../../io/text.js";
import { wordBytes } from "../../../io/words.js";
import { S_IFMT } from "../../../linux/files.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Context } from "./context.js";
import type { GhostIdentity } from "./file-parts.js";
import { rangeOf } from "./source-files.js";

const METHOD = { relink: 1, contents: 2 } as const;
/** FILE_UNLINKED.flags: the substitute is removed once it is open; its path counts from the container's root. */
const REMOVE = 1;
const FROM_ROOT = 2;
/** UNLINKED_EXTRA.flags. */
const HAS_ATIME = 1;
const CONTENTS_BEFORE = 2;
/** FILE_UNLINKED.kind by the file type of st_mode. */
const KINDS: ReadonlyMap<number, number> = new Map([
  [0o100000, 1],
  [0o040000, 2],
  [0o010000, 3],
  [0o120000, 4],
  [0o020000, 5],
  [0o060000, 6],
]);

/** A chunk of contents at most: a reader holds a record in memory. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/** A file whose name was gone: what follows its FILE records. */
export interface DeletedFile {
  readonly identity: GhostIdentity;
  /** The record behind FILE_OWNER and FILE_IDENTITY. */
  writeExtra(objref: number): void;
}

interface Chunk {
  readonly at: number;
  readonly data: Piece;
}

/**
 * FILE_UNLINKED and what follows it, for a path that was gone; nothing for others. Contents of a ghost that several
 * files have open stand with the first of them.
 */
export function writeUnlinked(context: Context, node: OpenFile, objref: number): DeletedFile | undefined {
  const remap = context.files.remap(node.id);
  const method = node.deleted?.method;
  if (remap === undefined || method === undefined) return undefined;
  if (method === "link remap") return writeRelink(context, node, objref, remap.remap_id);
  if (method === "ghost") return writeGhost(context, node, objref, remap.remap_id & 0x7fff_ffff);
  context.losses.add(
    `open file ${node.id} (${node.label})`,
    "that it stands in /proc of a dead process",
    `linux-cr cannot bring back process ${remap.remap_id} for it`,
  );
  return undefined;
}

function writeRelink(
  context: Context,
  node: OpenFile,
  objref: number,
  linkId: number,
): DeletedFile | undefined {
  const link = context.files.all.get(linkId, "REG");
  if (link?.path === undefined) {
    context.losses.add(
      `open file ${node.id} (${node.label})`,
      "the name under which it was kept",
      `the set has no open file ${linkId}`,
    );
    return undefined;
  }
  context.files.used.nodes.add(linkId);
  const { mode = 0o100000, size } = node.record as RegFileEntry;
  context.writer.record(RECORDS.FILE_UNLINKED, {
    file_objref: objref,
    method: METHOD.relink,
    kind: KINDS.get(mode & S_IFMT) ?? 1,
    mode,
    size: size ?? 0n,
    flags: REMOVE | FROM_ROOT,
  });
  context.writer.text(RECORDS.FILE_NAME, link.path);
  return undefined;
}

function writeGhost(context: Context, node: OpenFile, objref: number, id: number): DeletedFile | undefined {
  const image = context.set.image(IMAGES.GHOST_FILE, id);
  const records = image?.records() ?? [];
  const head = records[0]?.value as GhostFileEntry | undefined;
  if (image === undefined || head === undefined) {
    context.losses.add(
      `open file ${node.id} (${node.label})`,
      "its contents",
      `the set has no ${fileNameOf(IMAGES.GHOST_FILE, id)}`,
    );
    return undefined;
  }
  const inode = context.hidden("INODE", `ghost ${id}`);
  const chunks = inode.isNew ? [...chunksOf(image as CriuImage, head)] : [];
  const stored = chunks.reduce((sum, { data }) => sum + sizeOf(data), 0);
  context.writer.record(RECORDS.FILE_UNLINKED, {
    file_objref: objref,
    method: METHOD.contents,
    kind: KINDS.get(head.mode & S_IFMT) ?? 1,
    mode: head.mode,
    uid: head.uid,
    gid: head.gid,
    size: head.size ?? (node.record as RegFileEntry).size ?? BigInt(stored),
    nr_chunks: chunks.length,
    ino: head.ino ?? 0n,
  });
  for (const { at, data } of chunks) {
    context.writer.buffer(wordBytes("u64", [at], `offset in ghost-file ${id}`), data);
  }
  return {
    identity: { dev: statDevice(head.dev), ino: head.ino, mtime: head.mtim },
    writeExtra: (file) =>
      context.writer.record(RECORDS.UNLINKED_EXTRA, {
        file_objref: file,
        inode_objref: inode.objref,
        atime_sec: head.atim?.tv_sec ?? 0n,
        atime_nsec: head.atim === undefined ? 0 : Number(head.atim.tv_usec) * 1000,
        rdev: head.rdev ?? 0,
        flags: (head.atim === undefined ? 0 : HAS_ATIME) | (inode.isNew ? 0 : CONTENTS_BEFORE),
      }),
  };
}

/** The contents of a ghost in ascending order, holes left out. */
function* chunksOf(image: CriuImage, head: GhostFileEntry): Generator<Chunk> {
  if (head.symlnk_target !== undefined) {
    yield { at: 0, data: textToBytes(head.symlnk_target) };
    return;
  }
  for (const { value, payload } of image.readRecords()) {
    const range = rangeOf(image, payload[0]);
    const start = "off" in value ? Number(value.off) : 0;
    for (let done = 0; done < range.size; done += CHUNK_BYTES)
      yield { at: start + done, data: part(range, done) };
  }
}

function part({ source, offset, size }: SourceRange, skip: number): SourceRange {
  return { source, offset: offset + skip, size: Math.min(CHUNK_BYTES, size - skip) };
}

function sizeOf(data: Piece): number {
  return Buffer.isBuffer(data) ? data.length : "source" in data ? data.size : 0;
}

/** A device number of the kernel (minor in the low 20 bits) as stat(2) gives it. */
function statDevice(dev: number | undefined): number | undefined {
  if (dev === undefined) return undefined;
  const major = dev >>> 20;
  const minor = dev & 0xf_ffff;
  return (minor & 0xff) + major * 0x100 + (minor >>> 8) * 0x10_0000;
}
