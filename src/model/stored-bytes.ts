import type { Origin } from "./origin.js";

/** Bytes in an image, read when they are asked for. */
export interface StoredBytes {
  readonly size: number;
  /** `offset` counts from their start. Errors: FormatError TRUNCATED. */
  readonly read: (offset: number, size: number) => Buffer;
}

/** Bytes of a file from an offset on. */
export interface FilePiece extends StoredBytes {
  readonly at: number;
}

/** The contents of a deleted file that an image holds. */
export interface Ghost {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Contents in the image, in bytes; holes do not count. */
  readonly stored: number;
  readonly size: bigint;
  readonly chunked: boolean;
  readonly symlinkTarget: string | undefined;
  /** What describes it: the ghost image, or the FILE_UNLINKED of a stream. */
  readonly origin: Origin;
  /** What is stored of the contents, in ascending order; a symbolic link has none. */
  readonly pieces: () => Iterable<FilePiece>;
}
