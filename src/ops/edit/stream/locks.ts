import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Edit } from "../plan.js";
import { type StreamDescriptor, streamDescriptors } from "./descriptors.js";
import type { StreamDraft } from "./draft.js";

/** Bits of fl_flags. */
export const POSIX = 1;
export const OFD = 1024;

/** A FILE_LOCK and the descriptor that it stands behind. */
export interface StreamLock {
  readonly index: number;
  /** The FILE_LOCKS that counts it. */
  readonly count: number;
  readonly descriptor: StreamDescriptor;
}

/** All locks and leases that are still there. */
export function streamLocks(draft: StreamDraft): StreamLock[] {
  const all = draft.once("locks", () =>
    streamDescriptors(draft).flatMap((descriptor): StreamLock[] => {
      const { part } = descriptor;
      const count = draft.reader.index(part, RECORDS.FILE_LOCKS);
      if (count === undefined) return [];
      return part.parts
        .filter(({ rule }) => rule === "lock")
        .map((each) => ({ index: draft.reader.get(each, RECORDS.FILE_LOCK).index, count, descriptor }));
    }),
  );
  return all.filter(({ index }) => !draft.isDropped(index));
}

export function lockValue(draft: StreamDraft, { index }: StreamLock): RecordValue<typeof RECORDS.FILE_LOCK> {
  return draft.value(index, RECORDS.FILE_LOCK);
}

/** Takes a lock away and mends the count of its descriptor. */
export function dropLock(draft: StreamDraft, edit: Edit, lock: StreamLock): void {
  draft.drop(edit, lock.index);
  const { nr_locks } = draft.value(lock.count, RECORDS.FILE_LOCKS);
  if (!draft.isDropped(lock.count)) draft.change(edit, lock.count, "nr_locks", nr_locks - 1);
}
