import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImage } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { GhostChunkEntry, GhostFileEntry } from "../../formats/criu/tables/ghost-file.js";
import { REMAP_TYPE, type RemapFilePathEntry } from "../../formats/criu/tables/remap-file-path.js";
import type { Timeval } from "../../formats/criu/tables/timer.js";
import { enumNumber } from "../../io/enums.js";
import { textToBytes } from "../../io/text.js";
import { kernelDevice, statDevice } from "../../linux/devices.js";
import { S_IFBLK, S_IFCHR, S_IFMT, S_IFREG } from "../../linux/files.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../linux/time.js";
import { NumberNames } from "../number-names.js";
import type { DeletedFile, FileTable } from "../open-file.js";
import type { DeletedInode, FilePiece, Ghost } from "../stored-bytes.js";

const [LINKED, GHOST, PROCFS] = ["LINKED", "GHOST", "PROCFS"].map((name) => enumNumber(REMAP_TYPE, name)) as [
  number,
  number,
  number,
];
/** remap_file_path_entry.remap_type; criu takes whatever lies under the path of a link, also a copy. */
const METHODS = new NumberNames<"link remap" | "ghost" | "process">([
  [LINKED, "link remap"],
  [GHOST, "ghost"],
  [PROCFS, "process"],
]);
/** Sets without remap_type mark a ghost by the highest bit of remap_id. */
const OLD_GHOST_BIT = 0x8000_0000;

/** Paths that were gone at the dump, from remap-fpath.img. */
export function criuDeletedFiles(set: CriuImageSet, files: FileTable): DeletedFile[] {
  // Several paths may be of one ghost, which may have 100,000 chunks.
  const ghosts = new Map<number, Pick<DeletedFile, "ghost" | "contents">>();
  const ghostOf = (id: number) => {
    const known = ghosts.get(id) ?? { ghost: decodeGhost(set, id), contents: contentsOf(set, id) };
    ghosts.set(id, known);
    return known;
  };
  return set.map(IMAGES.REMAP_FPATH, undefined, ({ index, value }): DeletedFile => {
    const isOldGhost = value.remap_type === undefined && value.remap_id >= OLD_GHOST_BIT;
    const method = METHODS.nameOf(value.remap_type ?? (isOldGhost ? GHOST : LINKED));
    const id = isOldGhost ? value.remap_id - OLD_GHOST_BIT : value.remap_id;
    const file = files.get(value.orig_id, "REG");
    const link = method === "link remap" ? files.get(id, "REG") : undefined;
    const stored = method === "ghost" ? ghostOf(id) : undefined;
    return {
      method,
      path: file?.path,
      keptIn:
        method === "ghost"
          ? fileNameOf(IMAGES.GHOST_FILE, id)
          : method === "process"
            ? `pid ${id}`
            : (link?.path ?? `file id ${id}`),
      keptFile: link,
      isInMount: false,
      isRemoved: true,
      contents: stored?.contents,
      fileId: value.orig_id,
      inode: stored?.ghost ?? { ...NO_INODE, mode: file?.mode ?? S_IFREG, size: file?.size ?? 0n },
      ghost: stored?.ghost,
      origin: { image: IMAGES.REMAP_FPATH.file, record: index },
    };
  });
}

const NO_INODE = {
  ...{ uid: 0, gid: 0, dev: undefined, ino: undefined, rdev: undefined, atime: undefined, mtime: undefined },
} as const;

function contentsOf(set: CriuImageSet, id: number): DeletedFile["contents"] {
  for (const { index, payload } of set.image(IMAGES.GHOST_FILE, id)?.readRecords() ?? [])
    for (const { offset } of payload) return { record: index, offset };
  return undefined;
}

function decodeGhost(set: CriuImageSet, id: number): Ghost | undefined {
  const records = set.records(IMAGES.GHOST_FILE, id);
  const head = records[0]?.value;
  if (head === undefined || !("uid" in head)) return undefined;
  const target = head.symlnk_target;
  const stored = records.reduce(
    (sum, record) => sum + record.payload.reduce((bytes, part) => bytes + part.size, 0),
    0,
  );
  return {
    mode: head.mode,
    uid: head.uid,
    gid: head.gid,
    size: head.size ?? BigInt(target === undefined ? stored : textToBytes(target).length),
    dev: head.dev === undefined ? undefined : statDevice(head.dev),
    ino: head.ino,
    rdev: head.rdev,
    atime: decodeTime(head.atim),
    mtime: decodeTime(head.mtim),
    stored,
    chunked: head.chunks === true,
    symlinkTarget: target,
    origin: { image: fileNameOf(IMAGES.GHOST_FILE, id), record: 0 },
    pieces: () => (target === undefined ? piecesOf(set, id) : []),
  };
}

function* piecesOf(set: CriuImageSet, id: number): Generator<FilePiece> {
  const image = set.image(IMAGES.GHOST_FILE, id) as CriuImage;
  for (const { value, payload } of image.readRecords())
    for (const { offset, size } of payload)
      yield { at: "off" in value ? Number(value.off) : 0, source: image.source, offset, size };
}

/** The entry of a deleted file, which comes back from a ghost image, or from a file under another path. */
export function encodeRemap(
  { method }: Pick<DeletedFile, "method">,
  file: number,
  keptIn: number,
): RemapFilePathEntry {
  const type = method === "copy" ? LINKED : (METHODS.numberOf(method) as number);
  return { orig_id: file, remap_id: keptIn, remap_type: type };
}

/** The records of a ghost image: whole contents follow the head, others are chunks. */
export function encodeGhost(ghost: Ghost): {
  readonly head: GhostFileEntry;
  readonly payload: readonly FilePiece[];
  readonly chunks: readonly { readonly value: GhostChunkEntry; readonly payload: readonly FilePiece[] }[];
} {
  const { size, symlinkTarget } = ghost;
  const head = encodeInode(ghost);
  const pieces = [...ghost.pieces()];
  const [first] = pieces;
  if (symlinkTarget !== undefined)
    return { head: { ...head, symlnk_target: symlinkTarget }, payload: [], chunks: [] };
  if (first === undefined && (ghost.mode & S_IFMT) !== S_IFREG) return { head, payload: [], chunks: [] };
  const isWhole = pieces.length <= 1 && (first?.at ?? 0) === 0 && BigInt(first?.size ?? 0) === size;
  if (isWhole) return { head, payload: pieces, chunks: [] };
  return {
    head: { ...head, chunks: true, size },
    payload: [],
    chunks: pieces.map((piece) => ({
      value: { len: BigInt(piece.size), off: BigInt(piece.at) },
      payload: [piece],
    })),
  };
}

/** criu goes by the time of the last change when that of the last access is not there, and stores neither alone. */
function encodeInode({ mode, uid, gid, dev, ino, rdev, atime, mtime }: DeletedInode): GhostFileEntry {
  const isDevice = (mode & S_IFMT) === S_IFCHR || (mode & S_IFMT) === S_IFBLK;
  return {
    ...{ uid, gid, mode },
    ...(isDevice ? { rdev: rdev ?? 0 } : {}),
    ...(dev === undefined ? {} : { dev: kernelDevice(dev) }),
    ...(ino === undefined ? {} : { ino }),
    ...(mtime === undefined ? {} : { atim: encodeTime(atime ?? mtime), mtim: encodeTime(mtime) }),
  };
}

/** Seconds before 1970 are negative numbers in 64 bits. */
function decodeTime(time: Timeval | undefined): bigint | undefined {
  return time && BigInt.asIntN(64, time.tv_sec) * NSEC_PER_SEC + time.tv_usec * NSEC_PER_USEC;
}

function encodeTime(time: bigint): Timeval {
  const part = ((time % NSEC_PER_SEC) + NSEC_PER_SEC) % NSEC_PER_SEC;
  return {
    tv_sec: BigInt.asUintN(64, (time - part) / NSEC_PER_SEC),
    tv_usec: part / NSEC_PER_USEC,
  };
}
