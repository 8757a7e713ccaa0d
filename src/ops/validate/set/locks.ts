import { LOCK_MAND } from "../../../linux/locks.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import {
  accessProblem,
  conflicts,
  LOCK_FACTS,
  readLeaseProblem,
  type Span,
  TO_THE_END,
} from "../lock-conflicts.js";
import { KIND, KIND_NAMES, kindName, type StoredLock, storedLocks, WRITE } from "../stored-locks.js";
import { tasksByPid } from "../tasks.js";

/** Types that a kind may have: read, write, and what each kind knows besides. */
const TYPES: ReadonlyMap<number, readonly number[]> = new Map([
  [KIND.posix, [0, 1]],
  [KIND.flock, [0, 1, 32 | 64, 32 | 128, 32 | 192]],
  [KIND.ofd, [0, 1]],
  // 4 is "being broken", with the type that it must become: 0 read, 2 none.
  [KIND.lease, [0, 1, 4, 6]],
]);

const rules: readonly Rule<SetContext>[] = [
  {
    id: "LOCK_KIND",
    level: "error",
    about: "A lock is POSIX, flock, OFD or a lease.",
    mend: "Copy filelocks.img again from where the set was made, or drop the lock.",
    *check(context) {
      for (const { entry, at } of context.share(storedLocks))
        if (!KIND_NAMES.has(entry.flag))
          yield { at, what: "no kind of a lock", expected: "1, 2, 4 or 8", found: String(entry.flag) };
    },
  },
  {
    id: "LOCK_TYPE",
    level: "error",
    about: "The type of a lock is one that its kind has.",
    mend: "Copy filelocks.img again from where the set was made, or drop the lock.",
    *check(context) {
      for (const { entry, at } of context.share(storedLocks)) {
        const types = TYPES.get(entry.flag);
        if (types !== undefined && !types.includes(entry.type))
          yield {
            at,
            what: `no type of a ${kindName(entry.flag)} lock`,
            expected: types.join(", "),
            found: String(entry.type),
          };
      }
    },
  },
  {
    id: "LOCK_RANGE",
    level: "error",
    about: "A lock covers bytes from 0 up; flocks and leases cover the whole file.",
    mend: "Copy filelocks.img again from where the set was made, or drop the lock.",
    *check(context) {
      for (const { entry, at } of context.share(storedLocks)) {
        const { flag, start, len } = entry;
        const isWhole = flag === KIND.flock || flag === KIND.lease;
        if (start < 0n || len < 0n || (isWhole && (start !== 0n || len !== 0n)))
          yield {
            at,
            what: "no range of bytes",
            expected: isWhole ? "0, 0" : "0 or more",
            found: `${start}, ${len}`,
          };
      }
    },
  },
  {
    id: "LOCK_TASK",
    level: "error",
    about: "The holder of a lock is a task of the set.",
    mend: "Drop the lock with crimg edit, or copy filelocks.img again from where the set was made.",
    *check(context) {
      const tasks = context.share(tasksByPid);
      for (const { entry, at } of context.share(storedLocks))
        if (!tasks.has(entry.pid))
          yield { at, what: "the holder is not in the tree", expected: `task ${entry.pid}`, found: "none" };
    },
  },
  {
    id: "LOCK_FD",
    level: "error",
    about: "The holder of a lock has the descriptor that it is on.",
    mend: "Drop the lock with crimg edit, or copy the fdinfo image again from where the set was made.",
    *check(context) {
      const tasks = context.share(tasksByPid);
      for (const { entry, descriptor, at } of context.share(storedLocks))
        if (descriptor === undefined && tasks.has(entry.pid))
          yield {
            at,
            what: "the holder has no such descriptor",
            expected: `descriptor ${entry.fd}`,
            found: "none",
          };
    },
  },
  {
    id: "LOCK_FILE",
    level: "error",
    about: "A lock is on a regular file.",
    mend: "Drop the lock with crimg edit; criu can set none on other files.",
    *check(context) {
      for (const { descriptor, at } of context.share(storedLocks))
        if (descriptor !== undefined && descriptor.type !== "REG")
          yield { at, what: "the descriptor is of another type", expected: "REG", found: descriptor.type };
    },
  },
  {
    ...LOCK_FACTS.access,
    *check(context) {
      for (const { entry, file, at } of context.share(storedLocks)) {
        if (file?.flags === undefined || (entry.flag !== KIND.posix && entry.flag !== KIND.ofd)) continue;
        const problem = accessProblem(file.flags, entry.type === WRITE);
        if (problem !== undefined) yield { at, ...problem };
      }
    },
  },
  {
    ...LOCK_FACTS.conflict,
    check: (context) => conflicts(context.share(storedLocks).flatMap(spanOf)),
  },
  {
    ...LOCK_FACTS.lease,
    *check(context) {
      for (const { entry, file, at } of context.share(storedLocks)) {
        if (entry.flag !== KIND.lease || entry.type !== 0 || file?.flags === undefined) continue;
        const problem = readLeaseProblem(file.flags);
        if (problem !== undefined) yield { at, ...problem };
      }
    },
  },
];

/** What a lock excludes others from; nothing for leases, and for what other rules find damaged. */
function spanOf({ entry, file, at }: StoredLock): Span[] {
  const { flag, type, start, len, pid, fd } = entry;
  if (file?.path === undefined || start < 0n || len < 0n) return [];
  if (flag === KIND.lease || (flag === KIND.flock && (type & LOCK_MAND) !== 0)) return [];
  return [
    {
      kind: kindName(flag),
      file,
      owner: flag === KIND.posix ? pid : file,
      start,
      end: len === 0n ? TO_THE_END : start + len,
      isWrite: type === WRITE,
      at,
      holder: `record ${at.record} of task ${pid}, descriptor ${fd}`,
    },
  ];
}

/** Rules about file locks and leases. What is wrong with one of them, taking it out of the set mends. */
export const lockRules: readonly Rule<SetContext>[] = rules.map((rule) => ({
  ...rule,
  *check(context) {
    for (const found of rule.check(context)) {
      const fix = context.editCommand("--set", `${found.at.image}[${found.at.record}]=absent`);
      yield { ...found, fix };
    }
  },
}));
