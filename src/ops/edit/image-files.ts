import type { FileSet } from "../../io/file-set.js";
import type { FileDigests } from "../../io/in-place.js";
import type { ByteSource } from "../../io/source.js";
import type { CopiedSet } from "./criu/copy-set.js";
import type { EditLog } from "./log.js";
import type { LogEntry } from "./log-entry.js";

/** Where an edited image goes: a set into a new directory, a stream into a new file. `copy`: share nothing with the original. */
export type EditTarget =
  | { readonly to: "new"; readonly path: string; readonly copy?: boolean | undefined }
  | { readonly to: "in place" };

/** An image that was written. */
export interface WrittenImage {
  /** The directory of a set, the file of a stream. */
  readonly path: string;
  /** How the files of a set came about; undefined for an edit in place, and for a stream. */
  readonly copied: CopiedSet | undefined;
}

/** An image as the files that edits write: its own, and the edit log. */
export interface ImageFiles {
  readonly files: FileSet;
  readonly log: EditLog;
  /** What the log calls a file of the image in its new place. */
  nameIn(target: EditTarget, name: string): string;
  /** Errors: EDIT when the log tells of files that edits of this image never change. */
  assertUndoable(entries: readonly LogEntry[]): void;
  /**
   * Writes the image with other files, all or none; null takes one away. `digests` are what files must be for this to be
   * done, and become. Errors: USAGE for what exists, EDIT when the image was changed meanwhile, UNSUPPORTED, IO.
   */
  write(
    changed: ReadonlyMap<string, ByteSource | null>,
    target: EditTarget,
    digests: ReadonlyMap<string, FileDigests>,
  ): WrittenImage;
}
