import path from "node:path";
import { EditError, UnsupportedError } from "../../io/errors.js";

/** Where an image stores bytes that are to be changed in place. */
export interface StoredBytes {
  readonly file: string;
  readonly offset: number;
  /** Which parent set has them; 0 is the image itself. */
  readonly level: number;
  readonly isCompressed: boolean;
}

/** Errors: UNSUPPORTED, EDIT for bytes that are not plainly in this image; `what` begins the sentence. */
export function assertPlain({ file, offset, level, isCompressed }: StoredBytes, what: string): void {
  if (isCompressed)
    throw new UnsupportedError(`${what} is compressed, and crimg does not write compressed pages`, {
      file,
      offset,
    });
  if (level > 0)
    throw new EditError(
      `${what} is in the parent set ${path.dirname(file)}, which other sets may share; it is not changed there`,
    );
}
