import { OFFSET_MAX } from "../../../../linux/files.js";
import type { Parsed } from "../../kind.js";
import type { LockEdit } from "../../kinds/lock.js";
import type { StreamDraft } from "../draft.js";
import { dropLock, isLease, lockValue, type StreamLock, streamLocks } from "../locks.js";

export function planLock(edits: readonly Parsed<LockEdit>[], draft: StreamDraft): void {
  for (const { edit, args } of edits)
    for (const lock of streamLocks(draft)) {
      if (!isMeant(draft, lock, args)) continue;
      if (args.type === undefined) dropLock(draft, edit, lock);
      else {
        draft.change(edit, lock.index, "fl_type", args.type);
        draft.change(edit, lock.index, "fl_type_prev", args.type);
      }
    }
}

/** fl_end is the last byte, inclusive. */
function isMeant(draft: StreamDraft, lock: StreamLock, { name, range }: LockEdit): boolean {
  const { fd, pids } = lock.descriptor;
  if (isLease(draft, lock) || fd !== name.fd || !pids.includes(name.pid)) return false;
  if (range === undefined) return true;
  const { fl_start, fl_end } = lockValue(draft, lock);
  const end = range.length === 0n ? OFFSET_MAX : range.start + range.length - 1n;
  return fl_start === range.start && fl_end === end;
}
