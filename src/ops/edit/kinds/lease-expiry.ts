import { IMAGES } from "../../../formats/criu/images.js";
import type { FileLockEntry } from "../../../formats/criu/tables/file-lock.js";
import { UsageError } from "../../../io/errors.js";
import { changedTime, parseTimeChange, type TimeChange } from "../duration.js";
import type { EditKind } from "../kind.js";

const LEASE = 8;
const BREAKING = 4;
/** Default of /proc/sys/fs/lease-break-time. */
const DEFAULT_BREAK_TIME = 45_000_000_000n;
const SECOND = 1_000_000_000n;

interface LeaseExpiry {
  readonly pid: number | undefined;
  readonly fd: number | undefined;
  readonly change: TimeChange;
}

/** `--lease-expiry [PID[:FD]=]±DURATION`. No CRIU image holds the time, so it can only be handed to the restore. */
export const leaseExpiry: EditKind<LeaseExpiry> = {
  name: "lease-expiry",
  syntax: "[PID[:FD]=]±DURATION",
  summary: "time that holders of leases being broken get; CRIU images have no place for it, a restore does",
  parse(text) {
    const [, pid, fd, rest] = /^(?:(\d+)(?::(\d+))?=)?(.+)$/s.exec(text) ?? [];
    if (rest === undefined) throw new UsageError("a duration is missing, as in +30s");
    return {
      pid: pid === undefined ? undefined : Number(pid),
      fd: fd === undefined ? undefined : Number(fd),
      change: parseTimeChange(rest),
    };
  },
  lookedFor: ({ pid }) =>
    `no lease${pid === undefined ? "" : ` of task ${pid}`} was being broken at the checkpoint`,
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const leases = draft.set.records(IMAGES.FILE_LOCKS).filter(({ value }) => isMeant(value, args));
      if (leases.length === 0) continue;
      draft.matched(edit);
      const time = changedTime(DEFAULT_BREAK_TIME, args.change);
      const seconds = Number(time <= 0n ? 1n : (time + SECOND - 1n) / SECOND);
      draft.restore.leaseBreakSeconds = Math.max(seconds, draft.restore.leaseBreakSeconds ?? 0);
      const names = leases.map(({ value }) => `${value.pid}:${value.fd}`);
      draft.notes.add(
        `CRIU stores no remaining time for a lease that is being broken (${names.join(", ")}), so no image can hold this: settle the lease (--lease ${names[0]}=settle), or let the restore give its holder ${seconds} s (crimg restore with the same --lease-expiry, or sysctl fs.lease-break-time=${seconds} while criu restores)`,
      );
    }
  },
};

function isMeant({ flag, type, pid, fd }: FileLockEntry, selector: LeaseExpiry): boolean {
  if (flag !== LEASE || (type & BREAKING) === 0) return false;
  return (selector.pid ?? pid) === pid && (selector.fd ?? fd) === fd;
}
