import { hex } from "../../io/hex.js";
import type { Document } from "../../model/document.js";
import type { DeletedFile, OpenFile } from "../../model/open-file.js";
import { type Holder, holdersOf } from "./holders.js";
import { type FileUse, isUsedBy, usesOf } from "./uses.js";
import { chosenPids, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface GhostsView extends ViewHead<"ghosts"> {
  readonly files: readonly ShownGhost[];
}

export interface ShownGhost {
  /** How it is restored: from contents in the image, a hard link on disk, or a helper for a dead process. */
  readonly method: DeletedFile["method"];
  /** Undefined if the open file is missing in the set. */
  readonly path?: string | undefined;
  /** Image, path of the hard link, or pid. */
  readonly keptIn: string;
  /** Record and offset of the contents, if in the image. */
  readonly contents?: { readonly record: number; readonly offset: string } | undefined;
  readonly id: number;
  readonly descriptors: readonly Holder[];
  readonly uses: readonly FileUse[];
  /** Of a ghost: st_mode in octal, owner, bytes of the file and bytes of it in the image. */
  readonly mode?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly size?: bigint | undefined;
  readonly stored?: number | undefined;
  readonly symlinkTarget?: string | undefined;
}

/** Deleted files that were in use at the checkpoint. */
export function ghostsView({ checkpoint }: Document, options: ShowOptions = {}): GhostsView {
  const chosen = chosenPids(checkpoint, options);
  const holders = holdersOf(checkpoint);
  const uses = usesOf(checkpoint);
  // A fifo has an open file of its own, which refers to the deleted node.
  const openAs = new Map<DeletedFile, OpenFile[]>(checkpoint.deletedFiles.map((deleted) => [deleted, []]));
  for (const file of checkpoint.files.all)
    if (file.deleted !== undefined) openAs.get(file.deleted)?.push(file);
  const files = [...openAs].map(([deleted, files]) =>
    shownGhost(deleted, files.flatMap(holders), files.flatMap(uses)),
  );
  return { ...viewHead("ghosts"), files: files.filter((file) => isUsedBy(chosen, file)) };
}

function shownGhost(
  deleted: DeletedFile,
  descriptors: readonly Holder[],
  uses: readonly FileUse[],
): ShownGhost {
  const { method, path, keptIn, contents: at, fileId: id, ghost } = deleted;
  const contents = at && { record: at.record, offset: hex(at.offset) };
  const common = { method, path, keptIn, contents, id, descriptors, uses };
  if (ghost === undefined) return common;
  const { mode, uid, gid, size, stored, symlinkTarget } = ghost;
  return { ...common, mode: `0${mode.toString(8)}`, uid, gid, size, stored, symlinkTarget };
}
