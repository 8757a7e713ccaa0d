import { createHash } from "node:crypto";
import type { DeletedFile } from "../../model/open-file.js";
import type { FilePiece } from "../../model/stored-bytes.js";
import type { Comparable } from "./section.js";

const BLOCK = 4096;

/** How a deleted file is restored, for both formats: where it is kept, or its contents. */
export function deletedFields(deleted: DeletedFile | undefined): Record<string, Comparable> {
  if (deleted === undefined) return {};
  const { method, keptIn, ghost } = deleted;
  const isOnDisk = method === "link remap" || method === "copy";
  return {
    deleted: method,
    keptIn: isOnDisk ? keptIn.replace(/^\/*/, "/") : undefined,
    target: ghost?.symlinkTarget,
    contents: ghost && digestOf(ghost.pieces()),
  };
}

/** SHA-256 of offsets and bytes of the blocks that are not all zero, independent of how a file is split and of its holes. */
function digestOf(pieces: Iterable<FilePiece>): string | undefined {
  const hash = createHash("sha256");
  let isEmpty = true;
  for (const { at, source, offset, size } of pieces)
    for (let done = 0; done < size; ) {
      const bytes = source.read(offset + done, Math.min(BLOCK - ((at + done) % BLOCK), size - done));
      if (bytes.some((byte) => byte !== 0)) {
        hash.update(`${at + done}:`).update(bytes);
        isEmpty = false;
      }
      done += bytes.length;
    }
  return isEmpty ? undefined : hash.digest("hex");
}
