import { EditError, UsageError } from "../../../io/errors.js";
import { LEASE_BREAK_TIME } from "../../../linux/locks.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import { type Lock, typedLockName } from "../../../model/lock.js";
import { dueText } from "../due.js";
import { changedTime, formatSeconds, parseTimeChange, type TimeChange } from "../duration.js";
import type { Editor } from "../editor.js";
import type { EditKind, Parsed } from "../kind.js";
import { editText } from "../plan.js";

/** FILE_LOCK.fl_rem_lease is an s32, and so is fs.lease-break-time. */
const MAX_SECONDS = 0x7fff_ffffn;

interface LeaseExpiry {
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
  plan(edits, editor) {
    for (const parsed of edits) {
      const leases = editor
        .locks()
        .filter((each) => each.kind === "lease" && isMeant(editor, each, parsed.args));
      const breaking = leases.filter((each) => each.breaking);
      assertBreaking(editor, parsed.args, leases, breaking);
      if (editor.holdsAllTimes) {
        for (const each of breaking) adjust(editor, parsed, each);
        for (const each of leases) if (!each.breaking) leaveSettled(editor, parsed, each);
      } else if (breaking.length > 0) wish(editor, parsed, breaking);
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

function isMeant(editor: Editor, each: Lock, { pid, fd, path }: LeaseExpiry): boolean {
  if (path !== undefined) return each.file?.path === path;
  if (pid === undefined) return true;
  if (fd !== undefined) return editor.isHeldBy(each, { pid, fd });
  const descriptors = editor.checkpoint.task(pid)?.descriptors?.descriptors ?? [];
  return descriptors.some((descriptor) => editor.isHeldBy(each, { pid, fd: descriptor.fd }));
}

/** Whoever names a lease expects that its time runs. Errors: EDIT. */
function assertBreaking(
  editor: Editor,
  { pid, path }: LeaseExpiry,
  leases: readonly Lock[],
  breaking: readonly Lock[],
): void {
  const [first] = leases;
  if (first === undefined || (pid ?? path) === undefined || breaking.length > 0) return;
  throw new EditError(
    `the lease of ${leases.map((each) => leaseText(each)).join(", ")} was not being broken at the checkpoint, so no time runs that could be changed`,
    { file: editor.imageOf(first.origin), path: `[${first.origin.record}]` },
  );
}

function leaveSettled(editor: Editor, { edit }: Parsed<LeaseExpiry>, each: Lock): void {
  editor.leave(edit, {
    image: editor.imageOf(each.origin),
    record: each.origin.record,
    field: "fl_rem_lease",
    value: leaseText(each),
    why: "a lease that was not being broken: no time runs",
  });
}

/** Fractions are rounded up: the holder never has less time than was asked for. */
function adjust(editor: Editor, { edit, args }: Parsed<LeaseExpiry>, each: Lock): void {
  const before = each.remaining ?? 0n;
  const wanted = changedTime(before, args.change);
  const seconds = wanted <= 0n ? 0n : (wanted + NSEC_PER_SEC - 1n) / NSEC_PER_SEC;
  if (seconds > MAX_SECONDS)
    throw new UsageError(
      `invalid time ${formatSeconds(wanted)} (expected at most ${MAX_SECONDS} s, the maximum of a lease)`,
    );
  const after = seconds * NSEC_PER_SEC;
  const what = `lease ${leaseText(each)}`;
  const { record } = each.origin;
  editor.changeObject(edit, "lock", each, { remaining: after }, typedLockName);
  editor.due.push({ edit: editText(edit), image: editor.imageOf(each.origin), record, what, before, after });
  const rounded =
    wanted < 0n ? "; never below 0" : wanted === after ? "" : "; a lease counts whole seconds, rounded up";
  const { restartTakes } = editor.options;
  editor.notes.add(
    `${what}: ${formatSeconds(before)} before, ${formatSeconds(after)} now${rounded}; falls due ${dueText(after, restartTakes)}`,
  );
  if (restartTakes !== undefined && after > 0n && after <= restartTakes)
    editor.warnings.add(
      `${what} will be taken from its holder before the restart is over: give it more than ${formatSeconds(restartTakes)}`,
    );
}

/** An image without a place for the time: the restore is asked to set lease-break-time. */
function wish(editor: Editor, { edit, args }: Parsed<LeaseExpiry>, leases: readonly Lock[]): void {
  editor.matched(edit);
  const time = changedTime(BigInt(LEASE_BREAK_TIME) * NSEC_PER_SEC, args.change);
  const rounded = time <= 0n ? 1n : (time + NSEC_PER_SEC - 1n) / NSEC_PER_SEC;
  if (rounded > MAX_SECONDS)
    throw new EditError(`invalid lease-break-time of ${rounded} s (expected at most ${MAX_SECONDS})`);
  const seconds = Number(rounded);
  editor.restore.leaseBreakSeconds = Math.max(seconds, editor.restore.leaseBreakSeconds ?? 0);
  const names = leases.map(({ pid, fd }) => `${pid}:${fd}`);
  editor.notes.add(
    `CRIU stores no remaining time for a lease that is being broken (${names.join(", ")}), so no image can hold this: settle the lease (--lease ${names[0]}=settle), or let the restore give its holder ${seconds} s (crimg restore with the same --lease-expiry, or sysctl fs.lease-break-time=${seconds} while criu restores)`,
  );
  const { restartTakes } = editor.options;
  const given = BigInt(seconds) * NSEC_PER_SEC;
  if (restartTakes !== undefined && given <= restartTakes)
    editor.warnings.add(
      `leases of ${names.join(", ")} will be taken from their holders before the restart is over: give them more than ${formatSeconds(restartTakes)}`,
    );
}

/** `1:0 (/var/log/app.log)`. */
function leaseText({ pid, fd, file }: Lock): string {
  return `${pid}:${fd}${file?.path === undefined ? "" : ` (${file.path})`}`;
}
