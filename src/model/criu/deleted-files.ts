import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImage } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { DeletedFile, FileTable } from "../open-file.js";
import type { FilePiece, Ghost } from "../stored-bytes.js";

const LINKED = 0;
const GHOST = 1;
/** Sets without remap_type mark a ghost by the highest bit of remap_id. */
const OLD_GHOST_BIT = 0x8000_0000;

type GhostParts = Pick<DeletedFile, "keptIn" | "contents" | "ghost">;

/** Paths that were gone at the dump, from remap-fpath.img. */
export function criuDeletedFiles(set: CriuImageSet, files: FileTable): DeletedFile[] {
  // Several paths may be of one ghost, which may have 100,000 chunks.
  const ghosts = new Map<number, GhostParts>();
  const ghostParts = (id: number): GhostParts => {
    let parts = ghosts.get(id);
    if (parts === undefined) {
      const keptIn = fileNameOf(IMAGES.GHOST_FILE, id);
      parts = { keptIn, contents: contentsOf(set, id), ghost: ghostOf(set, id) };
      ghosts.set(id, parts);
    }
    return parts;
  };
  return set.map(IMAGES.REMAP_FPATH, undefined, ({ index, value }): DeletedFile => {
    const isOldGhost = value.remap_type === undefined && value.remap_id >= OLD_GHOST_BIT;
    const type = value.remap_type ?? (isOldGhost ? GHOST : LINKED);
    const id = isOldGhost ? value.remap_id - OLD_GHOST_BIT : value.remap_id;
    const common = {
      path: files.get(value.orig_id, "REG")?.path,
      fileId: value.orig_id,
      origin: { image: IMAGES.REMAP_FPATH.file, record: index },
    };
    if (type === GHOST)
      return {
        ...common,
        method: "ghost",
        keptFile: undefined,
        ...ghostParts(id),
      };
    if (type === LINKED)
      return {
        ...common,
        method: "link remap",
        keptIn: files.get(id, "REG")?.path ?? `file id ${id}`,
        keptFile: files.get(id, "REG"),
        contents: undefined,
        ghost: undefined,
      };
    return {
      ...common,
      method: "process",
      keptIn: `pid ${id}`,
      keptFile: undefined,
      contents: undefined,
      ghost: undefined,
    };
  });
}

function contentsOf(set: CriuImageSet, id: number): DeletedFile["contents"] {
  for (const { index, payload } of set.image(IMAGES.GHOST_FILE, id)?.readRecords() ?? [])
    for (const { offset } of payload) return { record: index, offset };
  return undefined;
}

function ghostOf(set: CriuImageSet, id: number): Ghost | undefined {
  const records = set.records(IMAGES.GHOST_FILE, id);
  const head = records[0]?.value;
  if (head === undefined || !("uid" in head)) return undefined;
  const stored = records.reduce(
    (sum, record) => sum + record.payload.reduce((bytes, part) => bytes + part.size, 0),
    0,
  );
  return {
    mode: head.mode,
    uid: head.uid,
    gid: head.gid,
    stored,
    size: head.size ?? BigInt(stored),
    chunked: head.chunks === true,
    symlinkTarget: head.symlnk_target,
    origin: { image: fileNameOf(IMAGES.GHOST_FILE, id), record: 0 },
    pieces: () => (head.symlnk_target === undefined ? piecesOf(set, id) : []),
  };
}

function* piecesOf(set: CriuImageSet, id: number): Generator<FilePiece> {
  const image = set.image(IMAGES.GHOST_FILE, id);
  for (const { value, payload } of image?.readRecords() ?? [])
    for (const { offset, size } of payload)
      yield {
        at: "off" in value ? Number(value.off) : 0,
        size,
        read: (from, count) => (image as CriuImage).source.read(offset + from, count),
      };
}
