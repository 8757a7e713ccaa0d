import { IMAGES } from "../../../formats/criu/images.js";
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
    for (const { edit, args } of edits)
      for (const { value } of draft.set.records(IMAGES.FILE_LOCKS)) {
        if (value.flag !== LEASE || (value.type & BREAKING) === 0) continue;
        if (args.pid !== undefined && value.pid !== args.pid) continue;
        if (args.fd !== undefined && value.fd !== args.fd) continue;
        draft.matched(edit);
        const time = changedTime(DEFAULT_BREAK_TIME, args.change);
        const seconds = Number(time <= 0n ? 1n : (time + SECOND - 1n) / SECOND);
        draft.restore.leaseBreakSeconds = Math.max(seconds, draft.restore.leaseBreakSeconds ?? 0);
        draft.notes.add(
          `CRIU stores no remaining time for a lease that is being broken (task ${value.pid}, descriptor ${value.fd}), so no image can be changed: settle it with --lease ${value.pid}:${value.fd}=settle, or let the restore give its holder ${seconds} s (sysctl fs.lease-break-time=${seconds} while criu restores)`,
        );
      }
  },
};
