import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { FileLockEntry } from "../../formats/criu/tables/file-lock.js";
import { LEASE_BREAKING } from "../../formats/criu/tables/file-lock.js";
import { LOCK_MAND } from "../../linux/locks.js";
import type { Lock, LockKind, OpenFile } from "../checkpoint.js";

const KINDS: Readonly<Record<number, LockKind>> = { 1: "posix", 2: "flock", 4: "ofd", 8: "lease" };
const TYPES: readonly Lock["type"][] = ["read", "write", "unlock"];

/** The locks and leases of filelocks.img. `fileOf` finds the open file behind a descriptor of a task, `tableOf` its table. */
export function criuLocks(
  set: CriuImageSet,
  fileOf: (pid: number, fd: number) => OpenFile | undefined,
  tableOf: (pid: number) => number | undefined,
): Lock[] {
  return set.records(IMAGES.FILE_LOCKS).map(({ index, value }) => {
    const kind = KINDS[value.flag] ?? "posix";
    return {
      kind,
      ...typeOf(kind, value),
      ...{ previous: undefined, remaining: undefined },
      owner: kind === "posix" ? tableOf(value.pid) : undefined,
      pid: value.pid,
      fd: value.fd,
      start: value.start,
      length: value.len,
      file: fileOf(value.pid, value.fd),
      origin: { image: IMAGES.FILE_LOCKS.file, record: index },
    };
  });
}

/** A breaking lease stores the type it must become, not the one it has. */
function typeOf(kind: LockKind, entry: FileLockEntry): Pick<Lock, "type" | "breaking"> {
  const breaking = kind === "lease" && (entry.type & LEASE_BREAKING) !== 0;
  if (kind === "flock" && (entry.type & LOCK_MAND) !== 0)
    return { type: (entry.type & 128) !== 0 ? "write" : "read", breaking };
  return { type: TYPES[breaking ? entry.type & ~LEASE_BREAKING : entry.type] ?? "unknown", breaking };
}
