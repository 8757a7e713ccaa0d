import { type Document, isInArchive, UnsupportedError } from "../index.js";

/** Refuses to write into an archive, with what to do instead. Errors: UNSUPPORTED for a set in an archive. */
export function refuseArchive(document: Document, verb: string): void {
  if (!isInArchive(document)) return;
  throw new UnsupportedError(
    `cannot ${verb} a set in an archive; take it out first: crimg convert ${document.name} DIR`,
    { file: document.name },
  );
}
