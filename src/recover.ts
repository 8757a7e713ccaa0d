import fs from "node:fs";
import { ioError, isCrimgError, UsageError } from "./io/errors.js";
import { type RecoverOptions, type Recovery, recoverInPlace } from "./io/recover-in-place.js";
import { editPlaceOf } from "./ops/edit/place.js";

/**
 * Finishes or rolls back an interrupted edit in place of an image. For a stream only its file and its log are touched.
 * Errors: MISSING for no such path, USAGE for a pipe; as recoverInPlace.
 */
export function recoverImage(image: string, options: RecoverOptions = {}): Recovery {
  let stat: fs.Stats;
  try {
    assertOwnLink(image);
    stat = fs.statSync(image);
  } catch (error) {
    throw isCrimgError(error) ? error : ioError("open the image", image, error);
  }
  const place = editPlaceOf(image, stat);
  if (place === undefined)
    throw new UsageError("not a directory of a set or a file of a stream", {
      file: image,
    });
  return recoverInPlace(place, options);
}

/** Symbolic links of other users are not followed. Errors: USAGE for a link owned by neither the caller nor root. */
function assertOwnLink(image: string): void {
  const stat = fs.lstatSync(image);
  if (stat.isSymbolicLink() && stat.uid !== 0 && stat.uid !== process.geteuid?.())
    throw new UsageError(`is a symbolic link owned by uid ${stat.uid} (not followed); name its target`, {
      file: image,
    });
}
