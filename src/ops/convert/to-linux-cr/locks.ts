import { RECORDS } from "../../../formats/linux-cr/records.js";
import { encodeLock } from "../../../model/linux-cr/locks.js";
import { lockName } from "../../../model/lock.js";
import type { Context } from "./context.js";

/** FILE_LOCKS and its FILE_LOCKs behind a FILE_DESC; nothing when the whole set has none. */
export function writeLocks(
  { files, writer, losses, leaseSeconds }: Context,
  filesId: number,
  fd: number,
  owners: { readonly table: number; readonly file: number },
): void {
  if (!files.hasLocks) return;
  const records = files.locks(filesId, fd).flatMap((lock) => {
    const isKnown = typeof lock.kind !== "number" && typeof lock.type !== "number";
    const fields = isKnown ? encodeLock(lock, { ...owners, leaseSeconds }) : undefined;
    if (fields !== undefined) return [fields];
    losses.add(
      `task ${lock.pid} fd ${fd}`,
      `a ${lockName(lock)} of type ${lock.type}`,
      "a stream holds POSIX, flock and OFD locks for reading and writing, and leases",
    );
    return [];
  });
  writer.record(RECORDS.FILE_LOCKS, { fd, nr_locks: records.length });
  for (const fields of records) writer.record(RECORDS.FILE_LOCK, fields);
}
