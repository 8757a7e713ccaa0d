import type { SourceRange } from "../io/concat.js";
import type { Origin } from "./origin.js";

/** Bytes of a file from an offset on, where an image has them. */
export interface FilePiece extends SourceRange {
  readonly at: number;
}

/** What a file without a name was, as stat(2) told it; undefined for what the image does not store. */
export interface DeletedInode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: bigint;
  readonly dev: bigint | undefined;
  readonly ino: bigint | undefined;
  readonly rdev: number | undefined;
  /** Nanoseconds since 1970. */
  readonly atime: bigint | undefined;
  readonly mtime: bigint | undefined;
}

/** The contents of a deleted file that an image holds. */
export interface Ghost extends DeletedInode {
  /** Contents in the image, in bytes; holes do not count. */
  readonly stored: number;
  readonly chunked: boolean;
  readonly symlinkTarget: string | undefined;
  /** What describes it: the ghost image, or the FILE_UNLINKED of a stream. */
  readonly origin: Origin;
  /** What is stored of the contents, in ascending order; a symbolic link has none. */
  readonly pieces: () => Iterable<FilePiece>;
}
