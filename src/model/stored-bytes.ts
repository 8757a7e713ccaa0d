import type { SourceRange } from "../io/concat.js";
import type { Origin } from "./origin.js";

/** Bytes of a file from an offset on, where an image has them. */
export interface FilePiece extends SourceRange {
  readonly at: number;
}

/** Bytes that an image stores besides memory. */
export interface StoredContents {
  readonly kind:
    | "pipe"
    | "fifo"
    | "received by socket"
    | "unsent by socket"
    | "deleted file"
    | "message queue"
    | "SysV segment"
    | "tmpfs";
  /** As `crimg show` calls it: the path of a file, the label of a socket. */
  readonly name: string;
  /** Of messages that have bounds: which one, from 0. */
  readonly message?: number;
  /** Bytes of a file, which may end in a hole; without it the pieces are all there is. */
  readonly size?: bigint;
  /** What is stored, ascending by offset. */
  readonly pieces: () => Iterable<FilePiece>;
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
