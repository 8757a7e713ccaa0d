import fs from "node:fs";
import { EditError, type ErrorPlace } from "../../../io/errors.js";
import { SET_ID_BITS } from "../../../linux/files.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import { Access, READ } from "../../../model/rights/access.js";
import { type Bearer, ownerOf } from "../../../model/rights/bearer.js";
import { isPrivileged } from "../../../model/rights/privileged.js";

const ADVICE = "if you trust the image, edit a copy of your own";

/** A file that is read for an image. */
interface ReadFile {
  readonly root: string;
  readonly imagePath: string;
  readonly fd: number;
  readonly name: string;
}

/** Files are read for an image of another user only if he could read them. Errors: EDIT. */
export function assertMayRead(document: LinuxCrDocument, { root, imagePath, fd, name }: ReadFile): void {
  const owner = otherOwner(document);
  if (owner === undefined) return;
  const access = new Access(root, owner);
  if (access.may(imagePath, READ) !== true || !access.has(fs.fstatSync(fd), READ))
    throw new EditError(`the owner of the image, ${owner.name}, may not read it; ${ADVICE}`, { file: name });
}

/** A file that is made for an image of another user is his own, and gives nobody's rights. Errors: EDIT. */
export function assertMayGive(
  document: LinuxCrDocument,
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
  place: ErrorPlace,
): void {
  const owner = otherOwner(document);
  if (owner === undefined || (uid === owner.uid && owner.gids.has(gid))) return;
  const setId = (mode & SET_ID_BITS) === 0 ? "" : ` and mode ${mode.toString(8)}`;
  throw new EditError(
    `a new file of uid ${uid}, gid ${gid}${setId} is more than the owner of the image, ${owner.name}, could make; ${ADVICE}`,
    place,
  );
}

/** Whoever could have written an image that a privileged caller edits; undefined when that is the caller, or root. */
function otherOwner(document: LinuxCrDocument): Bearer | undefined {
  if (!isPrivileged()) return undefined;
  const owner = ownerOf(document);
  return owner?.uid === process.geteuid?.() ? undefined : owner;
}
