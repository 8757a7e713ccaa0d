import fs from "node:fs";
import { codecOf } from "./formats/archive/codecs.js";
import { isTar } from "./formats/archive/tar/read.js";
import { ioError, isCrimgError, UsageError } from "./io/errors.js";
import { type RecoverOptions, type Recovery, recoverInPlace } from "./io/recover-in-place.js";
import { FileSource } from "./io/source.js";
import { editPlaceOf } from "./ops/edit/place.js";
import { splitName } from "./packaged-set.js";

/**
 * Finishes or rolls back an interrupted edit in place of an image. For a stream only its file and its log are touched.
 * Errors: MISSING for no such path, USAGE for a pipe; as recoverInPlace.
 */
export function recoverImage(image: string, options: RecoverOptions = {}): Recovery {
  const { file } = splitName(image);
  let stat: fs.Stats;
  try {
    assertOwnLink(file);
    stat = fs.statSync(file);
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("open the image", image, error);
  }
  const place = editPlaceOf(file, stat);
  if (place === undefined)
    throw new UsageError("not a directory of a set or a file of a stream", {
      file: image,
    });
  return recoverInPlace(place, options);
}

/**
 * Errors: USAGE for an archive, of which an edit in place leaves nothing to recover; those of recoverImage are not looked
 * for.
 */
export function assertRecoverable(image: string): void {
  const { file, path } = splitName(image);
  if (path === "" && !isArchiveFile(file)) return;
  throw new UsageError(
    "an edit in place of an archive puts a whole new file in its place, so there is nothing to recover",
    { file },
  );
}

/** Whether a file is compressed or a tar archive; what is neither, or cannot be opened, is for others to judge. */
function isArchiveFile(file: string): boolean {
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const source = new FileSource(file);
  try {
    return codecOf(source) !== undefined || isTar(source);
  } finally {
    source.close();
  }
}

/** Symbolic links of other users are not followed. Errors: USAGE for a link owned by neither the caller nor root. */
function assertOwnLink(image: string): void {
  const stat = fs.lstatSync(image);
  if (stat.isSymbolicLink() && stat.uid !== 0 && stat.uid !== process.geteuid?.())
    throw new UsageError(`is a symbolic link owned by uid ${stat.uid} (not followed); name its target`, {
      file: image,
    });
}
