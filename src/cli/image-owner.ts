import { type Bearer, bearerOfUid, type Document, ownerOf, UsageError } from "../index.js";

/** The owner of an image for read-only commands; CRIMG_OWNER overrides it. Errors: USAGE, IO. */
export function lookedAtOwner(document: Document): Bearer | undefined {
  const named = process.env.CRIMG_OWNER;
  if (named === undefined || named === "") return ownerOf(document);
  if (!/^\d{1,10}$/.test(named))
    throw new UsageError(`invalid CRIMG_OWNER ${JSON.stringify(named)} (expected a user id, e.g. 1000)`);
  return bearerOfUid(Number(named));
}
