import { BackendError } from "../../../io/errors.js";
import type { ImageDescriptor } from "../files/image.js";
import { readFdInfo } from "../proc/fdinfo.js";
import { locksOf } from "../proc/locks.js";
import { type ImageLock, lockWords } from "./image.js";

const KINDS = { POSIX: "posix", FLOCK: "flock", OFDLCK: "ofd", LEASE: "lease" } as const;
const TYPES = { READ: 0, WRITE: 1, UNLCK: 2 } as const;

/** Compares the locks that a task has by a descriptor with those of the image. Errors: BackendError when they differ. */
export function verifyLocks(task: number, { fd, locks }: ImageDescriptor): void {
  const wanted = joined(locks);
  const found = joined(
    locksOf(readFdInfo(task, fd)).map((line) => ({
      kind: KINDS[line.kind],
      type: TYPES[line.type],
      isBreaking: line.mode === "BREAKING",
      start: line.start,
      length: line.end === undefined ? 0n : line.end - line.start + 1n,
    })),
  );
  if (wanted.join() !== found.join())
    throw new BackendError(
      `descriptor ${fd} of task ${task} has ${found.join(", ") || "no lock"} instead of ${wanted.join(", ") || "none"}`,
    );
}

type Extent = Pick<ImageLock, "kind" | "type" | "isBreaking" | "start" | "length">;

/** Locks in words, sorted; the kernel makes one of those that follow each other. */
function joined(locks: readonly Extent[]): string[] {
  const sorted = [...locks].sort((a, b) => (a.start < b.start ? -1 : Number(a.start > b.start)));
  const merged: Extent[] = [];
  for (const lock of sorted) {
    const before = merged.findIndex(
      ({ kind, type, start, length }) =>
        kind === lock.kind && type === lock.type && length > 0n && start + length === lock.start,
    );
    const first = merged[before];
    if (first === undefined || lock.kind === "flock" || lock.kind === "lease") merged.push(lock);
    else merged[before] = { ...first, length: lock.length === 0n ? 0n : first.length + lock.length };
  }
  return merged.map(lockWords).sort();
}
