import { EditError, UsageError } from "../../../../io/errors.js";
import { F_INPROGRESS } from "../../../../linux/locks.js";
import { NSEC_PER_SEC } from "../../../../linux/time.js";
import { dueText } from "../../due.js";
import { changedTime, formatSeconds } from "../../duration.js";
import type { Parsed } from "../../kind.js";
import type { LeaseExpiry } from "../../kinds/lease-expiry.js";
import { editText } from "../../plan.js";
import { fileRefOf, pathOf, streamFile } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { isLease, lockText, lockValue, type StreamLock, streamLocks } from "../locks.js";

/** fl_rem_lease is an s32. */
const MAX_SECONDS = 0x7fff_ffffn;

/** fl_rem_lease of the leases that were being broken: whole seconds from the start of the checkpoint. */
export function planLeaseExpiry(edits: readonly Parsed<LeaseExpiry>[], draft: StreamDraft): void {
  for (const parsed of edits) {
    const leases = streamLocks(draft).filter(
      (lock) => isLease(draft, lock) && isMeant(draft, lock, parsed.args),
    );
    const isBreaking = (lock: StreamLock): boolean => (lockValue(draft, lock).fl_type & F_INPROGRESS) !== 0;
    const { pid, path } = parsed.args;
    const [first] = leases;
    if (first !== undefined && (pid ?? path) !== undefined && !leases.some(isBreaking))
      throw new EditError(
        `the lease of ${leases.map((lease) => lockText(draft, lease)).join(", ")} was not being broken at the checkpoint, so no time runs that could be changed`,
        draft.image.place(first.index),
      );
    for (const lease of leases) {
      if (isBreaking(lease)) adjust(draft, parsed, lease);
      else
        draft.leave(parsed.edit, {
          image: draft.name,
          record: lease.index,
          field: "fl_rem_lease",
          value: lockText(draft, lease),
          why: "a lease that was not being broken: no time runs",
        });
    }
  }
}

function isMeant(draft: StreamDraft, { descriptor }: StreamLock, { pid, fd, path }: LeaseExpiry): boolean {
  if (path !== undefined) return pathOf(draft, streamFile(draft, fileRefOf(draft, descriptor))) === path;
  return (pid === undefined || descriptor.pids.includes(pid)) && (fd ?? descriptor.fd) === descriptor.fd;
}

/** Fractions are rounded up: the holder never has less time than was asked for. */
function adjust(draft: StreamDraft, { edit, args }: Parsed<LeaseExpiry>, lease: StreamLock): void {
  const before = BigInt(lockValue(draft, lease).fl_rem_lease) * NSEC_PER_SEC;
  const wanted = changedTime(before, args.change);
  const seconds = wanted <= 0n ? 0n : (wanted + NSEC_PER_SEC - 1n) / NSEC_PER_SEC;
  if (seconds > MAX_SECONDS)
    throw new UsageError(`${formatSeconds(wanted)} is more than a lease holds (${MAX_SECONDS} s)`);
  const after = seconds * NSEC_PER_SEC;
  const what = `lease ${lockText(draft, lease)}`;
  draft.change(edit, lease.index, "fl_rem_lease", Number(seconds));
  draft.due.push({ edit: editText(edit), image: draft.name, record: lease.index, what, before, after });
  const rounded =
    wanted < 0n ? "; never below 0" : wanted === after ? "" : "; a lease counts whole seconds, rounded up";
  const { restartTakes } = draft.options;
  draft.notes.add(
    `${what}: ${formatSeconds(before)} before, ${formatSeconds(after)} now${rounded}; falls due ${dueText(after, restartTakes)}`,
  );
  if (restartTakes !== undefined && after > 0n && after <= restartTakes)
    draft.warnings.add(
      `${what} will be taken from its holder before the restart is over: give it more than ${formatSeconds(restartTakes)}`,
    );
}
