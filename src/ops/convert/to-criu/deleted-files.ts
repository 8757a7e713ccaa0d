import { IMAGES } from "../../../formats/criu/images.js";
import {
  GHOST_CHUNK_ENTRY,
  GHOST_FILE_ENTRY,
  type GhostFileEntry,
} from "../../../formats/criu/tables/ghost-file.js";
import { REMAP_FILE_PATH_ENTRY, REMAP_TYPE } from "../../../formats/criu/tables/remap-file-path.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { SourceRange } from "../../../io/concat.js";
import { S_IFLNK, S_IFMT, S_IFREG } from "../../../linux/files.js";
import { addPath } from "./file-entry.js";
import { type Identity, kernelDev, type StreamFile, timeval } from "./stream-file.js";

type Unlinked = RecordValue<typeof RECORDS.FILE_UNLINKED>;

/** FILE_UNLINKED.method. */
const METHOD = { relink: 1, contents: 2, copy: 3 } as const;
/** FILE_UNLINKED.flags: the substitute goes away once it is open. */
const REMOVE = 1;
/** Types of st_mode by FILE_UNLINKED.kind. */
const TYPES: Readonly<Record<number, number>> = {
  ...{ 1: 0o100000, 2: 0o040000, 3: 0o010000 },
  ...{ 4: 0o120000, 5: 0o020000, 6: 0o060000 },
};
const DEVICES: readonly number[] = [0o020000, 0o060000];
/** UNLINKED_EXTRA.flags. */
const HAS_ATIME = 1;
const CHUNK_HEAD_BYTES = 8;
/** The substitute of a relinked or copied file is the second name. */
const SUBSTITUTE = 1;

/** Says how the file `id` comes back when its name was gone. */
export function remapDeleted(file: StreamFile, id: number, identity: Identity): void {
  const { context, part, label } = file;
  const found = context.reader.find(part, RECORDS.FILE_UNLINKED);
  if (found === undefined) return;
  const { method, flags } = found.value;
  if (method === METHOD.contents) {
    remap(file, id, ghostOf(file, found.value, identity), "GHOST");
    return;
  }
  const substitute = context.reader.text(part, RECORDS.FILE_NAME, SUBSTITUTE) ?? "";
  if (method !== METHOD.relink && method !== METHOD.copy)
    throw context.reader.image.error(found.index, `${label} comes back by the unknown method ${method}`);
  if ((flags & REMOVE) === 0)
    context.losses.add(
      label,
      `${substitute} stays after the restart`,
      "criu removes the link once it is open",
    );
  // criu links whatever lies under that name to the old one, be it the inode itself or a copy of it.
  remap(file, id, addPath(context, absolute(substitute)), "LINKED");
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function remap({ context }: StreamFile, orig: number, remapId: number, type: "GHOST" | "LINKED"): void {
  context.set.add(IMAGES.REMAP_FPATH, undefined, REMAP_FILE_PATH_ENTRY, {
    orig_id: orig,
    remap_id: remapId,
    remap_type: REMAP_TYPE.values.get(type) as number,
  });
}

/** The number of the ghost file with its contents: one for all that opened the same inode. */
function ghostOf(file: StreamFile, unlinked: Unlinked, identity: Identity): number {
  const { context, objref, others, part } = file;
  const { ghosts } = others;
  const inode = context.reader.find(part, RECORDS.UNLINKED_EXTRA)?.value.inode_objref ?? 0;
  const byNumber = unlinked.ino === 0n ? `file ${objref}` : `inode ${identity.dev ?? 0n}:${unlinked.ino}`;
  const key = inode === 0 ? byNumber : `number ${inode}`;
  let id = ghosts.get(key);
  if (id === undefined) {
    id = ghosts.size + 1;
    ghosts.set(key, id);
    writeGhost(file, id, unlinked, identity);
  }
  return id;
}

function writeGhost(file: StreamFile, id: number, unlinked: Unlinked, identity: Identity): void {
  const { context, part, label } = file;
  const { mode: stored, uid, gid, size, ino, kind } = unlinked;
  const mode = (stored & S_IFMT) === 0 ? (stored | (TYPES[kind] ?? S_IFREG)) >>> 0 : stored;
  const type = mode & S_IFMT;
  const chunks = part.parts.flatMap((chunk) =>
    chunkOf(file, context.reader.get(chunk, RECORDS.BUFFER).index),
  );
  const extra = context.reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
  const rdev = extra?.rdev ?? 0;
  const hasAtime = ((extra?.flags ?? 0) & HAS_ATIME) !== 0;
  const atim = hasAtime && extra !== undefined ? timeval(extra.atime_sec, extra.atime_nsec) : identity.mtime;
  const common: GhostFileEntry = {
    ...{ uid, gid, mode },
    ...(DEVICES.includes(type) ? { rdev } : {}),
    ...(identity.dev === undefined ? {} : { dev: kernelDev(identity.dev) }),
    ...(ino === 0n ? {} : { ino }),
    ...(identity.mtime === undefined ? {} : { atim: atim ?? identity.mtime, mtim: identity.mtime }),
  };
  const [first] = chunks;
  if (type === S_IFLNK && first !== undefined) {
    const target = first.data.source.read(first.data.offset, first.data.size).toString("utf8");
    context.set.add(IMAGES.GHOST_FILE, id, GHOST_FILE_ENTRY, { ...common, symlnk_target: target });
    return;
  }
  if (type !== S_IFREG) {
    if (DEVICES.includes(type) && rdev === 0)
      context.losses.add(label, "the deleted device", "the stream has no device number of it");
    context.set.add(IMAGES.GHOST_FILE, id, GHOST_FILE_ENTRY, common);
    return;
  }
  const isWhole = chunks.length <= 1 && (first?.at ?? 0n) === 0n && BigInt(first?.data.size ?? 0) === size;
  if (isWhole) {
    const payload = first === undefined ? [] : [first.data];
    context.set.add(IMAGES.GHOST_FILE, id, GHOST_FILE_ENTRY, common, payload);
    return;
  }
  context.set.add(IMAGES.GHOST_FILE, id, GHOST_FILE_ENTRY, { ...common, chunks: true, size });
  for (const { at, data } of chunks)
    context.set.add(IMAGES.GHOST_FILE, id, GHOST_CHUNK_ENTRY, { len: BigInt(data.size), off: at }, [data]);
}

/** A BUFFER holds the offset in the file, then the bytes. Errors: FormatError for one too short for that. */
function chunkOf({ context: { reader } }: StreamFile, index: number): { at: bigint; data: SourceRange }[] {
  const { image } = reader;
  const { offset, size } = image.payload(index);
  if (size < CHUNK_HEAD_BYTES) throw image.error(index, `a piece of a deleted file has ${size} bytes`);
  const head = image.source.read(offset, CHUNK_HEAD_BYTES);
  const data = { source: image.source, offset: offset + CHUNK_HEAD_BYTES, size: size - CHUNK_HEAD_BYTES };
  return [{ at: head.readBigUInt64LE(), data }];
}
