import { IMAGES } from "../../../formats/criu/images.js";
import { GHOST_CHUNK_ENTRY, GHOST_FILE_ENTRY } from "../../../formats/criu/tables/ghost-file.js";
import { REMAP_FILE_PATH_ENTRY } from "../../../formats/criu/tables/remap-file-path.js";
import { S_IFBLK, S_IFCHR, S_IFMT } from "../../../linux/files.js";
import { encodeGhost, encodeRemap } from "../../../model/criu/deleted-files.js";
import type { DeletedFile } from "../../../model/open-file.js";
import type { Ghost } from "../../../model/stored-bytes.js";
import { addPath, type StreamFile } from "./stream-file.js";

/** Says how the file `id` comes back when its name was gone. */
export function remapDeleted(file: StreamFile, id: number): void {
  const { deleted } = file.file;
  if (deleted === undefined) return;
  const keptIn = deleted.ghost === undefined ? addSubstitute(file, deleted) : ghostOf(file, deleted.ghost);
  file.context.set.add(
    IMAGES.REMAP_FPATH,
    undefined,
    REMAP_FILE_PATH_ENTRY,
    encodeRemap(deleted, id, keptIn),
  );
}

function addSubstitute({ context, label }: StreamFile, deleted: DeletedFile): number {
  const { method, keptIn, isRemoved, origin } = deleted;
  if (typeof method === "number")
    throw context.reader.image.error(origin.record, `${label} comes back by the unknown method ${method}`);
  if (!isRemoved)
    context.losses.add(label, `${keptIn} stays after the restart`, "criu removes the link once it is open");
  return addPath(context, keptIn.startsWith("/") ? keptIn : `/${keptIn}`);
}

/** The number of the ghost file with its contents: one for all that opened the same inode. */
function ghostOf(file: StreamFile, ghost: Ghost): number {
  const { ghosts } = file.others;
  const { dev, ino, origin } = ghost;
  const key = dev === undefined || ino === undefined ? `${origin.record}` : `${dev}:${ino}`;
  let id = ghosts.get(key);
  if (id === undefined) {
    id = ghosts.size + 1;
    ghosts.set(key, id);
    writeGhost(file, id, ghost);
  }
  return id;
}

function writeGhost({ context: { set, losses }, label }: StreamFile, id: number, ghost: Ghost): void {
  const type = ghost.mode & S_IFMT;
  if ((type === S_IFCHR || type === S_IFBLK) && ghost.rdev === undefined)
    losses.add(label, "the deleted device", "the stream has no device number of it");
  const { head, payload, chunks } = encodeGhost(ghost);
  set.add(IMAGES.GHOST_FILE, id, GHOST_FILE_ENTRY, head, payload);
  for (const chunk of chunks) set.add(IMAGES.GHOST_FILE, id, GHOST_CHUNK_ENTRY, chunk.value, chunk.payload);
}
