import { BackendError } from "../../../io/errors.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import type { ImageDescriptor } from "../files/image.js";
import { readFdInfo } from "../proc/fdinfo.js";
import { locksOf } from "../proc/locks.js";
import { type LockExtent, lockWords } from "./words.js";

const KINDS = { POSIX: "posix", FLOCK: "flock", OFDLCK: "ofd", LEASE: "lease" } as const;
const TYPES = { READ: "read", WRITE: "write", UNLCK: "unlock" } as const;

/** Compares the locks that a task has by a descriptor with those of the image. Errors: BackendError when they differ. */
export function verifyLocks(task: number, { fd, locks }: ImageDescriptor): void {
  const wanted = joined(locks);
  const found = joined(
    locksOf(readFdInfo(task, fd)).map((line) => ({
      kind: KINDS[line.kind],
      type: TYPES[line.type],
      breaking: line.mode === "BREAKING",
      start: line.start,
      end: line.end ?? OFFSET_MAX,
    })),
  );
  if (wanted.join() !== found.join())
    throw new BackendError(
      `descriptor ${fd} of task ${task} has ${found.join(", ") || "no lock"} instead of ${wanted.join(", ") || "none"}`,
    );
}

/** Locks in words, sorted; the kernel makes one of those that follow each other. */
function joined(locks: readonly LockExtent[]): string[] {
  const sorted = [...locks].sort((a, b) => (a.start < b.start ? -1 : Number(a.start > b.start)));
  const merged: LockExtent[] = [];
  for (const lock of sorted) {
    const before = merged.findIndex(
      ({ kind, type, end }) =>
        kind === lock.kind && type === lock.type && end !== OFFSET_MAX && end + 1n === lock.start,
    );
    const first = merged[before];
    if (first === undefined || lock.kind === "flock" || lock.kind === "lease") merged.push(lock);
    else merged[before] = { ...first, end: lock.end };
  }
  return merged.map(lockWords).sort();
}
