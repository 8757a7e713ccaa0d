import { UsageError } from "./io/errors.js";
import { type User, userOf } from "./io/users.js";
import { ownerOf } from "./model/rights/bearer.js";
import { openDocument } from "./open.js";

/**
 * The user who owns an image and whom root must become to restore it with no more than that user's rights; undefined when
 * the caller is that user. Errors: USAGE for a caller who is not root, stdin, or an image that has no single owner.
 */
export function ownerToBecome(image: string): User | undefined {
  if (image === "-") throw new UsageError("--as-owner needs a file or directory, and stdin has no owner");
  const document = openDocument(image);
  const owner = ownerOf(document);
  document.close();
  const caller = process.geteuid?.();
  if (owner === undefined || owner.uid === caller) return undefined;
  if (owner.uid === undefined)
    throw new UsageError(`the image has no single owner, but ${owner.name}`, { file: image });
  if (caller !== 0)
    throw new UsageError(`only root can become the owner of the image, ${owner.name}`, { file: image });
  return userOf(owner.uid);
}
