import { IMAGES } from "../../../formats/criu/images.js";
import type { FileLockEntry } from "../../../formats/criu/tables/file-lock.js";
import { LEASE_BREAKING, LOCK_LEASE } from "../../../formats/criu/tables/file-lock.js";
import { UsageError } from "../../../io/errors.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { descriptionOf, descriptorNamed, typeOf } from "../descriptors.js";
import type { Draft } from "../draft.js";
import { changedTime, parseTimeChange, type TimeChange } from "../duration.js";
import type { EditKind } from "../kind.js";

/** Default of /proc/sys/fs/lease-break-time. */
const DEFAULT_BREAK_TIME = 45_000_000_000n;

export interface LeaseExpiry {
  /** Which leases: of a process, of one descriptor, of a file by its path; all when nothing is given. */
  readonly pid: number | undefined;
  readonly fd: number | undefined;
  readonly path: string | undefined;
  readonly change: TimeChange;
}

/** `--lease-expiry [SELECTOR=]±DURATION`. No CRIU image holds the time, so there it can only be handed to the restore. */
export const leaseExpiry: EditKind<LeaseExpiry> = {
  name: "lease-expiry",
  syntax: "[SELECTOR=]±DURATION|=DURATION|xN",
  summary:
    "time that holders of leases being broken have left, of PID, PID:FD, a path or all; CRIU images have no place for it, a restore does",
  parse: parseLeaseExpiry,
  lookedFor: ({ pid, fd, path }) => {
    const whose = path ?? (pid === undefined ? undefined : `task ${pid}${fd === undefined ? "" : `:${fd}`}`);
    return `no lease${whose === undefined ? "" : ` of ${whose}`} was being broken at the checkpoint`;
  },
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const leases = draft.set.records(IMAGES.FILE_LOCKS).filter(({ value }) => isMeant(draft, value, args));
      if (leases.length === 0) continue;
      draft.matched(edit);
      const time = changedTime(DEFAULT_BREAK_TIME, args.change);
      const seconds = Number(time <= 0n ? 1n : (time + NSEC_PER_SEC - 1n) / NSEC_PER_SEC);
      draft.restore.leaseBreakSeconds = Math.max(seconds, draft.restore.leaseBreakSeconds ?? 0);
      const names = leases.map(({ value }) => `${value.pid}:${value.fd}`);
      draft.notes.add(
        `CRIU stores no remaining time for a lease that is being broken (${names.join(", ")}), so no image can hold this: settle the lease (--lease ${names[0]}=settle), or let the restore give its holder ${seconds} s (crimg restore with the same --lease-expiry, or sysctl fs.lease-break-time=${seconds} while criu restores)`,
      );
    }
  },
};

/** The last `=` parts selector and change, but for the one that begins the change itself. Errors: USAGE. */
function parseLeaseExpiry(text: string): LeaseExpiry {
  const [, selector, rest = ""] = /^(?:(all|\d+(?::\d+)?|\/.*?)=(?==?[^=]+$))?(.*)$/s.exec(text) ?? [];
  if (rest === "") throw new UsageError("a duration is missing, as in +30s");
  const [, pid, fd] = /^(\d+)(?::(\d+))?$/.exec(selector ?? "") ?? [];
  return {
    pid: pid === undefined ? undefined : Number(pid),
    fd: fd === undefined ? undefined : Number(fd),
    path: selector?.startsWith("/") === true ? selector : undefined,
    change: parseTimeChange(rest),
  };
}

function isMeant(draft: Draft, { flag, type, pid, fd }: FileLockEntry, selector: LeaseExpiry): boolean {
  if (flag !== LOCK_LEASE || (type & LEASE_BREAKING) === 0) return false;
  if (selector.path !== undefined && pathOf(draft, pid, fd) !== selector.path) return false;
  return (selector.pid ?? pid) === pid && (selector.fd ?? fd) === fd;
}

function pathOf(draft: Draft, pid: number, fd: number): unknown {
  const descriptor = descriptorNamed(draft, { pid, fd });
  return descriptor && descriptionOf(draft, typeOf(descriptor), descriptor.value.id)?.value.name;
}
