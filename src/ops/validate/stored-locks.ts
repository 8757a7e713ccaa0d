import { IMAGES } from "../../formats/criu/images.js";
import {
  type FileLockEntry,
  LOCK_FLOCK,
  LOCK_LEASE,
  LOCK_OFD,
  LOCK_POSIX,
} from "../../formats/criu/tables/file-lock.js";
import type { Descriptor, OpenFile } from "../../model/checkpoint.js";
import type { SetContext } from "./context.js";
import { descriptorsByPid } from "./descriptors.js";
import type { Place } from "./finding.js";

/** file_lock_entry.flag */
export const KIND = { posix: LOCK_POSIX, flock: LOCK_FLOCK, ofd: LOCK_OFD, lease: LOCK_LEASE } as const;
export const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(KIND).map(([name, flag]) => [flag, name]),
);
/** file_lock_entry.type of a lock that excludes readers. */
export const WRITE = 1;

/** A stored lock with what it leads to. */
export interface StoredLock {
  readonly entry: FileLockEntry;
  readonly descriptor: Descriptor | undefined;
  readonly file: OpenFile | undefined;
  readonly at: Place;
}

/** The locks and leases as they are stored. */
export function storedLocks(context: SetContext): readonly StoredLock[] {
  const descriptors = context.share(descriptorsByPid);
  return context.set.records(IMAGES.FILE_LOCKS).map(({ value: entry, index }) => {
    const { pid, fd } = entry;
    const descriptor = descriptors.get(pid)?.get(fd);
    const file = descriptor?.file;
    return {
      entry,
      descriptor,
      file,
      at: { image: IMAGES.FILE_LOCKS.file, record: index, pid, fd, path: file?.path },
    };
  });
}

/** What a lock is called: `posix`, `lease` … */
export function kindName(flag: number): string {
  return KIND_NAMES.get(flag) ?? `kind ${flag}`;
}
