import { OFFSET_MAX } from "../../linux/files.js";
import type { Document } from "../../model/document.js";
import type { Lock } from "../../model/lock.js";
import { type ShowOptions, taskOf, type ViewHead, viewHead } from "./view.js";

export interface LocksView extends ViewHead<"locks"> {
  readonly locks: readonly ShownLock[];
}

export interface ShownLock {
  readonly kind: Lock["kind"];
  /** For a lease that is being broken what it must become; it is stored in place of what the lease is. */
  readonly type: Lock["type"];
  readonly breaking: boolean;
  /** What a lease that is being broken was, and in how many nanoseconds it is taken away, where the image says it. */
  readonly previous?: Lock["previous"];
  readonly remaining?: bigint | undefined;
  readonly pid: number;
  readonly comm?: string | undefined;
  readonly fd: number;
  /** Descriptor table that holds a POSIX lock. */
  readonly owner?: number | undefined;
  /** First byte, and the last; without it the lock reaches to the end of the file. */
  readonly start: bigint;
  readonly end?: bigint | undefined;
  /** Undefined when the task has no such descriptor: a damaged set. */
  readonly file?: string | undefined;
}

/** File locks and leases. */
export function locksView({ checkpoint }: Document, { pid }: ShowOptions = {}): LocksView {
  if (pid !== undefined) taskOf(checkpoint, pid);
  const locks = checkpoint.locks
    .filter((lock) => pid === undefined || lock.pid === pid)
    .map(({ kind, type, breaking, previous, remaining, pid, fd, owner, start, end, file }) => ({
      ...{ kind, type, breaking, previous, remaining, pid, comm: checkpoint.task(pid)?.comm },
      ...{ fd, owner, start },
      end: end === OFFSET_MAX ? undefined : end,
      file: file?.label,
    }));
  return { ...viewHead("locks"), locks };
}
