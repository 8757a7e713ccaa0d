import type { Part } from "../../../formats/linux-cr/part.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { OFD_LOCK } from "../../../formats/linux-cr/tables/dialect.js";
import { OFFSET_MAX } from "../../../linux/files.js";
import { F_INPROGRESS, F_UNLCK, FL_FLOCK, FL_LEASE, FL_POSIX } from "../../../linux/locks.js";
import type { Rule } from "../finding.js";
import { recordsByKind, type StreamContext } from "./context.js";
import { AGAIN, hex, recordRule, setCommand } from "./record-rule.js";

type FileLock = RecordValue<typeof RECORDS.FILE_LOCK>;
const KINDS: ReadonlyMap<number, string> = new Map([
  [FL_POSIX, "POSIX lock"],
  [FL_FLOCK, "flock"],
  [FL_LEASE, "lease"],
  [OFD_LOCK, "OFD lock"],
]);

/** A FILE_LOCK with the descriptor and the table that hold it. */
interface HeldLock {
  readonly index: number;
  readonly value: FileLock;
  readonly table: number;
  readonly file: number;
  readonly fd: number;
}

/** Every lock that the order of the records leads to. */
function heldLocks(context: StreamContext): readonly HeldLock[] {
  const locks: HeldLock[] = [];
  for (const table of context.reader.objects("FILE_TABLE"))
    for (const descriptor of table.parts) locks.push(...locksOf(context, table.objref ?? 0, descriptor));
  return locks;
}

function* locksOf(context: StreamContext, table: number, descriptor: Part): Generator<HeldLock> {
  const holder = context.valueAt(descriptor.records[0], RECORDS.FILE_DESC);
  if (holder === undefined) return;
  for (const { rule, records } of descriptor.parts) {
    const [index] = records;
    const value = rule === "lock" ? context.valueAt(index, RECORDS.FILE_LOCK) : undefined;
    if (index !== undefined && value !== undefined)
      yield { index, value, table, file: holder.fd_objref, fd: holder.fd_descriptor };
  }
}

/** Rules about the records of locks and leases; those about conflicts hold for both families. */
export const streamLockRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE_LOCKS,
    {
      id: "LOCKS_COUNT",
      level: "error",
      about: "FILE_LOCKS names the descriptor before it and is followed by as many FILE_LOCKs as it says.",
      mend: AGAIN,
    },
    function* ({ fd, nr_locks }, index, context) {
      const { stream } = context;
      let count = 0;
      while (stream.kind(index + 1 + count) === RECORDS.FILE_LOCK) count++;
      if (count !== nr_locks)
        yield {
          field: "nr_locks",
          fd,
          right: count,
          what: "another number of locks follows",
          expected: String(nr_locks),
          found: String(count),
        };
      const holder = context.valueAt(index - 1, RECORDS.FILE_DESC);
      if (holder === undefined)
        yield { fd, what: "locks without a descriptor before them", expected: "FILE_DESC" };
      else if (holder.fd_descriptor !== fd)
        yield {
          field: "fd",
          fd,
          right: holder.fd_descriptor,
          what: "the number of another descriptor",
          expected: String(holder.fd_descriptor),
          found: String(fd),
        };
    },
  ),
  {
    id: "LOCKS_MISSING",
    level: "warning",
    about: "If one descriptor of a stream says how many locks it has, each does.",
    mend: "Nothing is to be done if the descriptors without have no locks; a reader that expects the count everywhere would fail.",
    *check(context) {
      const kinds = context.share(recordsByKind);
      if (!kinds.has(RECORDS.FILE_LOCKS)) return;
      for (const index of kinds.get(RECORDS.FILE_DESC) ?? [])
        if (context.stream.kind(index + 1) !== RECORDS.FILE_LOCKS) {
          const fd = context.valueAt(index, RECORDS.FILE_DESC)?.fd_descriptor;
          yield {
            at: context.at(index, { fd }),
            what: "the number of locks is missing",
            expected: "FILE_LOCKS",
          };
        }
    },
  },
  recordRule(
    RECORDS.FILE_LOCK,
    {
      id: "LOCK_VALUES",
      level: "error",
      about:
        "A lock is POSIX (1), flock (2), lease (32) or OFD (1025), to read (0) or write (1); only a lease is also being broken (16) or becomes none (2).",
      mend: AGAIN,
    },
    function* ({ fl_flags, fl_type, fl_type_prev }) {
      if (!KINDS.has(fl_flags)) {
        yield {
          field: "fl_flags",
          what: "no kind of a lock",
          expected: [...KINDS.keys()].join(", "),
          found: String(fl_flags),
        };
        return;
      }
      const isBreaking = (fl_type & F_INPROGRESS) !== 0;
      const type = fl_type & ~F_INPROGRESS;
      if ((isBreaking && fl_flags !== FL_LEASE) || type > F_UNLCK || (type === F_UNLCK && !isBreaking))
        yield {
          field: "fl_type",
          what: `no type of a ${KINDS.get(fl_flags)}`,
          expected: fl_flags === FL_LEASE ? "0, 1, 16, 17 or 18" : "0 or 1",
          found: String(fl_type),
        };
      else if (
        isBreaking ? fl_type_prev >= F_UNLCK || (fl_type_prev === 0 && type === 1) : fl_type_prev !== fl_type
      )
        yield {
          field: "fl_type_prev",
          what: isBreaking ? "no type that such a lease can have had" : "another type than the lock has",
          expected: isBreaking ? "0 or 1, not less than what it becomes" : String(fl_type),
          found: String(fl_type_prev),
        };
    },
  ),
  recordRule(
    RECORDS.FILE_LOCK,
    {
      id: "LOCK_SPAN",
      level: "error",
      about: "A lock covers bytes from 0 up; flocks and leases cover the whole file.",
      mend: AGAIN,
    },
    function* ({ fl_start, fl_end, fl_flags }) {
      const isWhole = fl_flags === FL_FLOCK || fl_flags === FL_LEASE;
      if (fl_start < 0n || fl_end < fl_start)
        yield {
          field: "fl_start",
          what: "no range of bytes",
          expected: "0 or more, up to fl_end",
          found: `${fl_start} to ${fl_end}`,
        };
      else if (isWhole && (fl_start !== 0n || fl_end !== OFFSET_MAX))
        yield {
          field: "fl_end",
          what: `a ${KINDS.get(fl_flags)} that does not cover the whole file`,
          expected: `0 to ${hex(OFFSET_MAX)}`,
          found: `${fl_start} to ${fl_end}`,
        };
    },
  ),
  recordRule(
    RECORDS.FILE_LOCK,
    {
      id: "LEASE_REST",
      level: "error",
      about: "Only a lease that is being broken has seconds left, and not fewer than 0.",
      mend: "crimg edit --lease-expiry FD==0s makes it due at once.",
    },
    function* ({ fl_flags, fl_type, fl_rem_lease }) {
      const isBreaking = fl_flags === FL_LEASE && (fl_type & F_INPROGRESS) !== 0;
      if (fl_rem_lease < 0 || (!isBreaking && fl_rem_lease !== 0))
        yield {
          field: "fl_rem_lease",
          right: 0,
          what: isBreaking ? "a negative time" : "a time left for what is not being broken",
          expected: isBreaking ? "0 or more seconds" : "0",
          found: String(fl_rem_lease),
        };
    },
  ),
  {
    id: "LOCK_OWNER",
    level: "error",
    about:
      "A POSIX lock is owned by the descriptor table that it stands in, an OFD lock by its open file, another by nobody.",
    mend: AGAIN,
    *check(context) {
      for (const { index, value, table, file, fd } of context.share(heldLocks)) {
        const { fl_flags, owner_ref } = value;
        const expected = fl_flags === FL_POSIX ? table : fl_flags === OFD_LOCK ? file : 0;
        if (KINDS.has(fl_flags) && owner_ref !== expected)
          yield {
            at: context.at(index, { field: "owner_ref", fd }),
            what: `a ${KINDS.get(fl_flags)} of another owner than the one that it stands with`,
            expected: String(expected),
            found: String(owner_ref),
            fix: setCommand(context, index, "owner_ref", expected),
          };
      }
    },
  },
  {
    id: "LOCK_TWICE",
    level: "error",
    about:
      "An open file has at most one flock and one lease, which stands with each of its descriptors or with one.",
    mend: AGAIN,
    *check(context) {
      const known = new Map<string, FileLock>();
      for (const { index, value, file, fd } of context.share(heldLocks)) {
        if (value.fl_flags !== FL_FLOCK && value.fl_flags !== FL_LEASE) continue;
        const key = `${value.fl_flags} ${file}`;
        const first = known.get(key);
        if (first === undefined) {
          known.set(key, value);
          continue;
        }
        if (first.fl_type === value.fl_type && first.fl_rem_lease === value.fl_rem_lease) continue;
        yield {
          at: context.at(index, { fd }),
          what: `a second ${KINDS.get(value.fl_flags)} of one open file`,
          expected: "the same as at its other descriptors",
          found: "another",
        };
      }
    },
  },
];
