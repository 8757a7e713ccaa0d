import { UsageError } from "./io/errors.js";
import { type User, userOf } from "./io/users.js";
import { ownerOf } from "./model/rights/bearer.js";
import { openDocument } from "./open.js";

/**
 * The owner of an image, whom root must become to restore it with no more than the owner's rights; undefined if the
 * caller is the owner. Errors: USAGE for a caller who is not root, stdin, or an image without a single owner.
 */
export function ownerToBecome(image: string): User | undefined {
  if (image === "-") throw new UsageError("--as-owner needs a file or directory (stdin has no owner)");
  const document = openDocument(image);
  const owner = ownerOf(document);
  document.close();
  const caller = process.geteuid?.();
  if (owner === undefined || owner.uid === caller) return undefined;
  if (owner.uid === undefined)
    throw new UsageError(`--as-owner needs an image with a single owner (found ${owner.name})`, {
      file: image,
    });
  if (caller !== 0)
    throw new UsageError(`only root can restore as the owner of the image, ${owner.name}`, { file: image });
  return userOf(owner.uid);
}
