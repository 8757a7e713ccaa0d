import { type Document, isInArchive, UnsupportedError } from "../index.js";

/** Refuses to restore an archive without its engine, with what to do instead. Errors: UNSUPPORTED. */
export function refuseArchive(document: Document): void {
  if (!isInArchive(document)) return;
  const { name } = document;
  throw new UnsupportedError(
    `criu restores no set in an archive; hand it to its engine, crimg restore ${name} --backend podman, or take it out: crimg convert ${name} DIR`,
    { file: name },
  );
}
