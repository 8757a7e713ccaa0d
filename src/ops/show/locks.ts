import { OFFSET_MAX } from "../../linux/files.js";
import type { Document } from "../../model/document.js";
import type { Lock } from "../../model/lock.js";
import { chosenPids, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface LocksView extends ViewHead<"locks"> {
  readonly locks: readonly ShownLock[];
}

export interface ShownLock {
  readonly kind: Lock["kind"];
  /** The target type of a breaking lease, which is stored instead of its type. */
  readonly type: Lock["type"];
  readonly breaking: boolean;
  /** Previous type of a breaking lease, and nanoseconds until it is removed, if stored. */
  readonly previous?: Lock["previous"];
  readonly remaining?: bigint | undefined;
  readonly pid: number;
  readonly comm?: string | undefined;
  readonly fd: number;
  /** Descriptor table that owns a POSIX lock. */
  readonly owner?: number | undefined;
  /** First byte, and the last; without it the lock extends to the end of the file. */
  readonly start: bigint;
  readonly end?: bigint | undefined;
  /** Undefined if the task has no such descriptor (a damaged set). */
  readonly file?: string | undefined;
}

/** File locks and leases. */
export function locksView({ checkpoint }: Document, options: ShowOptions = {}): LocksView {
  const chosen = chosenPids(checkpoint, options);
  const locks = checkpoint.locks
    .filter((lock) => chosen?.has(lock.pid) ?? true)
    .map(({ kind, type, breaking, previous, remaining, pid, fd, owner, start, end, file }) => ({
      ...{ kind, type, breaking, previous, remaining, pid, comm: checkpoint.task(pid)?.comm },
      ...{ fd, owner, start },
      end: end === OFFSET_MAX ? undefined : end,
      file: file?.label,
    }));
  return { ...viewHead("locks"), locks };
}
