import { UsageError } from "./io/errors.js";
import { userOf } from "./io/users.js";
import { ownerOf } from "./model/rights/bearer.js";
import { openDocument } from "./open.js";

/**
 * Makes this process the owner of an image for good, with the groups of a login and no capabilities. Does nothing when the
 * image is the caller's own. Errors: USAGE for a caller who is not root, stdin, or an image that has no single owner.
 */
export function becomeOwner(image: string): void {
  if (image === "-") throw new UsageError("--as-owner needs a file or directory, and stdin has no owner");
  const document = openDocument(image);
  const owner = ownerOf(document);
  document.close();
  if (owner === undefined || owner.uid === process.geteuid?.()) return;
  if (owner.uid === undefined)
    throw new UsageError(`the image has no single owner, but ${owner.name}`, { file: image });
  if (process.geteuid?.() !== 0)
    throw new UsageError(`only root can become the owner of the image, ${owner.name}`, { file: image });
  const { uid, gid, gids } = userOf(owner.uid);
  process.setgroups?.([...gids]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
