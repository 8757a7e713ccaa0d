import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { EditError } from "../../../../io/errors.js";
import { F_INPROGRESS, F_RDLCK, F_WRLCK } from "../../../../linux/locks.js";
import { O_ACCMODE } from "../../../../linux/open-flags.js";
import type { Parsed } from "../../kind.js";
import type { LeaseEdit } from "../../kinds/lease.js";
import { fileRefOf, streamFile } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { dropLock, isLease, lockValue, type StreamLock, streamLocks } from "../locks.js";

export function planLease(edits: readonly Parsed<LeaseEdit>[], draft: StreamDraft): void {
  for (const { edit, args } of edits)
    for (const lock of streamLocks(draft)) {
      const { fd, pids } = lock.descriptor;
      if (!isLease(draft, lock) || fd !== args.name.fd || !pids.includes(args.name.pid)) continue;
      const type = leaseType(args.to, lockValue(draft, lock).fl_type);
      if (type === undefined) dropLock(draft, edit, lock);
      else {
        if (type === F_RDLCK) assertOpenForReading(draft, lock);
        draft.change(edit, lock.index, "fl_type", type);
        if ((type & F_INPROGRESS) !== 0) continue;
        draft.change(edit, lock.index, "fl_type_prev", type);
        draft.change(edit, lock.index, "fl_rem_lease", 0);
      }
    }
}

/** fl_type after the edit; undefined for no lease any more. */
function leaseType(to: LeaseEdit["to"], stored: number): number | undefined {
  if (to === "drop") return undefined;
  if (to === "read") return F_RDLCK;
  if (to === "write") return F_WRLCK;
  if ((stored & F_INPROGRESS) === 0) return stored;
  return (stored & ~F_INPROGRESS) === F_RDLCK ? F_RDLCK : undefined;
}

/** The kernel gives a read lease only on a file that nobody, the holder included, has open for writing (fcntl(2)). */
function assertOpenForReading(draft: StreamDraft, { descriptor }: StreamLock): void {
  const file = streamFile(draft, fileRefOf(draft, descriptor));
  if (file === undefined || (draft.value(file.index, RECORDS.FILE).f_flags & O_ACCMODE) === 0) return;
  const name = `${descriptor.pids[0]}:${descriptor.fd}`;
  throw new EditError(
    `descriptor ${name} is open for writing, so the kernel gives it no read lease at the restart; drop the lease: --lease ${name}=drop`,
  );
}
