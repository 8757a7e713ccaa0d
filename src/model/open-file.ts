import type { SourceRange } from "../io/concat.js";
import type { Origin } from "./origin.js";
import type { Socket } from "./socket.js";
import type { SpecialFile } from "./special-file.js";
import type { DeletedInode, Ghost } from "./stored-bytes.js";

/** One table of descriptors; tasks that were made with CLONE_FILES share it. */
export interface DescriptorTable {
  readonly id: number;
  readonly descriptors: readonly Descriptor[];
}

export interface Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly type: string;
  readonly fileId: number;
  /** Undefined when the set has no such open file: a damaged set. */
  readonly file: OpenFile | undefined;
  /** Its SELinux label, where the image has one. */
  readonly label: string | undefined;
  readonly origin: Origin;
}

/** All open file descriptions. Ids are unique over the types in sets of criu 3.4 and later, only within a type before. */
export interface FileTable {
  readonly all: readonly OpenFile[];
  /** By id, and by type where ids may repeat. */
  get(id: number, type?: string): OpenFile | undefined;
}

/** An open file description: what dup(2) and fork(2) share. Types as CRIU names them: REG, PIPE, UNIXSK … */
export interface OpenFile {
  readonly id: number;
  readonly type: string;
  /**
   * The open file that has its path, flags and identity: itself, or in a set the node of a fifo or terminal. Undefined for
   * what has no path.
   */
  readonly node: OpenFile | undefined;
  /** Absolute path for what has one in the file system. */
  readonly path: string | undefined;
  /** What a person would call it: the path, `pipe:[id]`, `TCP 127.0.0.1:80` … */
  readonly label: string;
  /** fcntl(F_GETFL) flags, numbers of the dumped architecture. */
  readonly flags: number | undefined;
  /** Offset in bytes; undefined when it has none or must not be sought. */
  readonly position: bigint | undefined;
  /** What a restore compares; undefined when it compares nothing. */
  readonly identity: FileIdentity | undefined;
  /** Size and st_mode at the checkpoint, where the image kept them for the check at restart. */
  readonly size: bigint | undefined;
  readonly mode: number | undefined;
  /** GNU build id of an ELF file as hexadecimal text. */
  readonly buildId: string | undefined;
  /** Decoded anew each time. */
  readonly socket: Socket | undefined;
  /** Equal for the two ends of a pipe or fifo. */
  readonly pipeId: number | undefined;
  /** Undefined when nobody was named. */
  readonly owner: FileOwner | undefined;
  readonly deleted: DeletedFile | undefined;
  /** What only this type has; undefined for most, and when the image does not say it. */
  readonly special: SpecialFile | undefined;
  /** The format's own record of this type, with the fields that only that family knows. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly origin: Origin;
}

/** What a restore compares with the file on disk; undefined for what the image does not store. */
export interface FileIdentity {
  readonly mode: number | undefined;
  readonly size: bigint | undefined;
  /** As stat(2) gives it. */
  readonly inode: { readonly dev: bigint; readonly ino: bigint } | undefined;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint | undefined;
  readonly buildId: Buffer | undefined;
  readonly origin: Origin;
}

/** Who gets the signals of an open file, fcntl(2) F_SETOWN. */
export interface FileOwner {
  /** A kind that crimg does not know stays the number that is stored. */
  readonly kind: "thread" | "process" | "group" | "session" | number;
  readonly pid: number;
  /** 0 for SIGIO. */
  readonly signal: number;
  readonly uid: number;
  readonly euid: number;
}

/** Bytes that stood in a pipe or fifo. */
export interface PipeBuffer {
  readonly pipeId: number;
  readonly kind: "pipe" | "fifo";
  readonly bytes: number;
  /** Capacity in bytes; undefined when not stored. */
  readonly capacity: number | undefined;
  readonly data: readonly SourceRange[];
  readonly origin: Origin;
}

/** A path that was gone at the checkpoint, and how it comes back. */
export interface DeletedFile {
  /** A method that crimg does not know stays the number that is stored. */
  readonly method: "ghost" | "link remap" | "copy" | "process" | number;
  readonly path: string | undefined;
  /** Image, or record of a stream, that holds the contents (ghost); else the path of the hard link or copy on disk. */
  readonly keptIn: string;
  /** In a set the entry of the hard link. */
  readonly keptFile: OpenFile | undefined;
  /** Whether the path counts from the root of its file system, and whether it goes once the file is open. */
  readonly isInMount: boolean;
  readonly isRemoved: boolean;
  readonly inode: DeletedInode;
  /** Where the contents begin; undefined when they are not in the image, or there are none. */
  readonly contents: { readonly record: number; readonly offset: number } | undefined;
  /** Ids of the open files that use it. */
  readonly fileId: number;
  readonly ghost: Ghost | undefined;
  readonly origin: Origin;
}

/** The open files that have a path and what a restore compares: those that others have it from, once. */
export function namedFiles({ all }: FileTable): OpenFile[] {
  return all.filter((file) => file.node === file);
}
