import fs from "node:fs";
import { ioError, isCrimgError, UsageError } from "./io/errors.js";
import { type RecoverOptions, type Recovery, recoverInPlace } from "./io/recover-in-place.js";
import { editPlaceOf } from "./ops/edit/place.js";

/**
 * Finishes or takes back an edit in place of an image that was interrupted. Of a stream only the stream's own file and its
 * log are touched. Errors: MISSING for no such path, USAGE for a pipe; as recoverInPlace.
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
    throw new UsageError("only the directory of a set or the file of a stream is edited in place", {
      file: image,
    });
  return recoverInPlace(place, options);
}

/** Whose link is followed decides what is changed. Errors: USAGE for a link of somebody else than the caller and root. */
function assertOwnLink(image: string): void {
  const stat = fs.lstatSync(image);
  if (stat.isSymbolicLink() && stat.uid !== 0 && stat.uid !== process.geteuid?.())
    throw new UsageError(`it is a symbolic link of uid ${stat.uid}; name the image that it leads to`, {
      file: image,
    });
}
