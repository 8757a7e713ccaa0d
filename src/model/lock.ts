import { F_RDLCK, F_UNLCK, F_WRLCK } from "../linux/locks.js";
import type { OpenFile } from "./open-file.js";
import type { Origin } from "./origin.js";

/** fcntl(2) record locks of a process or of an open file description, flock(2) locks, and leases. */
export type LockKind = "posix" | "flock" | "ofd" | "lease";

/** The mandatory ones are flock(2) locks with LOCK_MAND, which Linux ignores since 5.17. */
export type LockType =
  | "read"
  | "write"
  | "unlock"
  | "mandatory"
  | "mandatory read"
  | "mandatory write"
  | "mandatory read-write";

/** A lock or lease on an open file. A kind or type that crimg does not know stays the number that is stored. */
export interface Lock {
  readonly kind: LockKind | number;
  /** For a lease that is being broken: what it becomes. */
  readonly type: LockType | number;
  /** What a lease that is being broken was; undefined when the image does not say it. */
  readonly previous: LockType | number | undefined;
  readonly breaking: boolean;
  /**
   * Nanoseconds until a lease that is being broken is taken away, from the start of the checkpoint; 0 when that is due.
   * Undefined for other locks, and when the image does not say it.
   */
  readonly remaining: bigint | undefined;
  /** Descriptor table that holds a POSIX lock; undefined for other kinds. */
  readonly owner: number | undefined;
  /** A task that holds it, and its descriptor there. */
  readonly pid: number;
  readonly fd: number;
  readonly start: bigint;
  /** Last byte; OFFSET_MAX for a lock that reaches to the end of the file. */
  readonly end: bigint;
  readonly file: OpenFile | undefined;
  readonly origin: Origin;
  /** Further records of the same lock: a stream has one behind each descriptor of its open file. */
  readonly repeats: readonly Origin[];
}

/** Types as fcntl(2) numbers them, in both families. */
export const FCNTL_TYPES: readonly (readonly [number, LockType])[] = [
  [F_RDLCK, "read"],
  [F_WRLCK, "write"],
  [F_UNLCK, "unlock"],
];

/** flock(2) locks and leases are on the whole file. */
export function coversWholeFile({ kind }: Pick<Lock, "kind">): boolean {
  return kind === "flock" || kind === "lease";
}

/** What a person calls it: `posix lock`, `lease`, `lock of kind 9`. */
export function lockName({ kind }: Pick<Lock, "kind">): string {
  if (typeof kind === "number") return `lock of kind ${kind}`;
  return kind === "posix" || kind === "ofd" ? `${kind} lock` : kind;
}

/** With its type: `a posix lock of type write`. */
export function typedLockName(lock: Pick<Lock, "kind" | "type">): string {
  return `a ${lockName(lock)} of type ${lock.type}`;
}
