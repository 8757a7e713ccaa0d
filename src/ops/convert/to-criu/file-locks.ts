import { IMAGES } from "../../../formats/criu/images.js";
import { FILE_LOCK_ENTRY } from "../../../formats/criu/tables/file-lock.js";
import { LEASE_BREAK_TIME } from "../../../linux/locks.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import type { Checkpoint } from "../../../model/checkpoint.js";
import { encodeLock } from "../../../model/criu/locks.js";
import { type Lock, lockName } from "../../../model/lock.js";
import type { Losses } from "../../../model/loss.js";
import type { ToCriu } from "./context.js";

/** The locks and leases of a stream as filelocks.img. */
export function writeLocks({ set, losses }: ToCriu, { locks }: Checkpoint): void {
  for (const lock of locks) {
    const isKnown = typeof lock.kind !== "number" && typeof lock.type !== "number";
    const entry = isKnown ? encodeLock(lock) : undefined;
    if (entry === undefined) {
      losses.add(holderText(lock), `a ${lockName(lock)} of type ${lock.type}`, "criu has no such lock");
      continue;
    }
    tellBreakTime(lock, losses);
    set.add(IMAGES.FILE_LOCKS, undefined, FILE_LOCK_ENTRY, entry);
  }
}

function tellBreakTime(lock: Lock, losses: Losses): void {
  if (
    !lock.breaking ||
    lock.remaining === undefined ||
    lock.remaining === BigInt(LEASE_BREAK_TIME) * NSEC_PER_SEC
  )
    return;
  losses.add(
    `${lockName(lock)} of ${holderText(lock)}`,
    `that ${lock.remaining / NSEC_PER_SEC} s are left until it is taken away`,
    "a set stores no times of leases: a restore breaks it anew, and its holder gets all of lease-break-time",
  );
}

function holderText({ pid, fd }: Lock): string {
  return `task ${pid} fd ${fd}`;
}
