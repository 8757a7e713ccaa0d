import type { Part } from "../../../formats/linux-cr/part.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Rule } from "../finding.js";
import { recordsByKind, type StreamContext } from "./context.js";
import { recordRule, SET_FIELD, setCommand } from "./record-rule.js";

type FileLock = RecordValue<typeof RECORDS.FILE_LOCK>;

/** FILE_LOCK.fl_flags; an OFD lock is a POSIX lock with the kernel's FL_OFDLCK. */
const POSIX = 1;
const FLOCK = 2;
const LEASE = 32;
const OFD = 1025;
const KINDS: ReadonlyMap<number, string> = new Map([
  [POSIX, "POSIX lock"],
  [FLOCK, "flock"],
  [LEASE, "lease"],
  [OFD, "OFD lock"],
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

/** Rules about how locks and leases are stored. */
export const streamLockRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE_LOCKS,
    {
      id: "LOCKS_COUNT",
      level: "error",
      about: "FILE_LOCKS names the descriptor before it and is followed by as many FILE_LOCKs as it says.",
      fix: SET_FIELD,
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
    fix: "Nothing is to be done if the descriptors without have no locks; a reader that expects the count everywhere would fail.",
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
  {
    id: "LOCK_OWNER",
    level: "error",
    about:
      "A POSIX lock is owned by the descriptor table that it stands in, an OFD lock by its open file, another by nobody.",
    fix: SET_FIELD,
    *check(context) {
      for (const { index, value, table, file, fd } of context.share(heldLocks)) {
        const { fl_flags, owner_ref } = value;
        const expected = fl_flags === POSIX ? table : fl_flags === OFD ? file : 0;
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
];
