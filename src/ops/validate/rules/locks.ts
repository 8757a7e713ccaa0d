import { OFFSET_MAX } from "../../../linux/files.js";
import { O_ACCMODE, O_RDONLY, O_WRONLY } from "../../../linux/open-flags.js";
import { coversWholeFile, type Lock, lockName } from "../../../model/lock.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { ImageContext } from "../context.js";
import type { Found, Rule, RuleFacts } from "../finding.js";

const KINDS = ["posix", "flock", "ofd", "lease"];
/** What a lease that is being broken becomes. */
const BROKEN_TO = ["read", "unlock"];
const MANDATORY = /^mandatory/;

/** Rules about file locks and leases. What is wrong with one of them, dropping it fixes. */
export const lockRules: readonly Rule<ImageContext>[] = [
  lockRule(
    {
      id: "LOCK_KIND",
      level: "error",
      about: "A lock is POSIX, flock, OFD or a lease.",
      fix: "Drop the lock with crimg edit.",
    },
    function* ({ kind }) {
      if (typeof kind === "number")
        yield { what: "unknown kind of lock", expected: KINDS.join(", "), found: `${kind}` };
    },
  ),
  lockRule(
    {
      id: "LOCK_TYPE",
      level: "error",
      about:
        "The type of a lock is one that its kind has; only a lease is being broken, to a read lease or to none.",
      fix: "Drop the lock with crimg edit.",
    },
    function* (lock) {
      const { kind, type, breaking } = lock;
      if (typeof kind === "number") return;
      const expected = typesOf(lock);
      if (breaking && kind !== "lease")
        yield {
          what: `${lockName(lock)} that is being broken`,
          expected: expected.join(", "),
          found: `breaking to ${type}`,
        };
      else if (!expected.includes(`${type}`) && !(kind === "flock" && MANDATORY.test(`${type}`)))
        yield {
          what: `invalid type of a ${lockName(lock)}`,
          expected: expected.join(", "),
          found: `${type}`,
        };
    },
  ),
  lockRule(
    {
      id: "LOCK_RANGE",
      level: "error",
      about: "A lock covers bytes from 0 up; flocks and leases cover the whole file.",
      fix: "Drop the lock with crimg edit.",
    },
    function* (lock) {
      const { start, end } = lock;
      const isWhole = coversWholeFile(lock);
      if (start < 0n || end < start || end > OFFSET_MAX || (isWhole && (start !== 0n || end !== OFFSET_MAX)))
        yield {
          what: `invalid range of a ${lockName(lock)}`,
          expected: isWhole ? "the whole file" : "0 or more, ascending",
          found: `${start} to ${end}`,
        };
    },
  ),
  lockRule(
    {
      id: "LOCK_TASK",
      level: "error",
      about: "The holder of a lock is a task of the image.",
      fix: "Drop the lock with crimg edit.",
    },
    function* ({ pid }, { checkpoint }) {
      if (checkpoint.task(pid) === undefined)
        yield { what: "the holder is not in the tree", expected: `task ${pid}`, found: "none" };
    },
  ),
  lockRule(
    {
      id: "LOCK_FD",
      level: "error",
      about: "The holder of a lock has the descriptor that it is on.",
      fix: "Drop the lock with crimg edit.",
    },
    function* ({ pid, fd }, context) {
      if (context.checkpoint.task(pid) !== undefined && context.descriptor(pid, fd) === undefined)
        yield { what: "the holder has no such descriptor", expected: `descriptor ${fd}`, found: "none" };
    },
  ),
  lockRule(
    {
      id: "LOCK_FILE",
      level: "error",
      about: "A lock is on a regular file.",
      fix: "Drop the lock with crimg edit; a restore can set none on other files.",
    },
    function* ({ pid, fd }, context) {
      const type = context.descriptor(pid, fd)?.type;
      if (type !== undefined && type !== "REG")
        yield { what: "lock on a descriptor of another type", expected: "REG", found: type };
    },
  ),
  lockRule(
    {
      id: "LOCK_ACCESS",
      level: "error",
      about:
        "A POSIX or OFD lock fits the access mode of its descriptor: the kernel refuses a write lock on one that only reads.",
      fix: "Drop the lock with crimg edit.",
    },
    function* ({ kind, type, file }) {
      if (file?.flags === undefined || (kind !== "posix" && kind !== "ofd")) return;
      const isWrite = type === "write";
      if ((file.flags & O_ACCMODE) === (isWrite ? O_RDONLY : O_WRONLY))
        yield {
          what: `a ${isWrite ? "write" : "read"} lock that the kernel refuses here`,
          expected: `a descriptor open for ${isWrite ? "writing" : "reading"}`,
          found: isWrite ? "open for reading only" : "open for writing only",
        };
    },
  ),
  {
    id: "LOCK_CONFLICT",
    level: "error",
    about: "No two holders have locks of one kind that exclude each other: restore would wait for ever.",
    fix: "Drop one of the locks with crimg edit.",
    check: lockConflicts,
  },
  lockRule(
    {
      id: "LOCK_TWICE",
      level: "error",
      about: "An open file has at most one flock and one lease.",
      fix: "Drop one of them with crimg edit.",
    },
    function* (lock, context) {
      const first = context.share(wholeFileLocks).get(keyOfWhole(lock));
      if (first !== undefined && first !== lock)
        yield {
          what: `a second ${lockName(lock)} of one open file`,
          expected: "one",
          found: holderText(first),
        };
    },
  ),
  lockRule(
    {
      id: "LEASE_ACCESS",
      level: "error",
      about: "A read lease is on a descriptor that only reads: the kernel refuses others.",
      fix: "Drop the lease with crimg edit.",
    },
    function* ({ kind, type, breaking, file }) {
      if (kind !== "lease" || breaking || type !== "read" || file?.flags === undefined) return;
      if ((file.flags & O_ACCMODE) !== O_RDONLY)
        yield {
          what: "a read lease on a descriptor that writes",
          expected: "open for reading only",
          found: "open for writing",
        };
    },
  ),
  {
    id: "LEASE_CONFLICT",
    level: "error",
    about:
      "Nobody else has a file open that has a write lease, nor one for writing that has a read lease: the kernel gives no such lease.",
    fix: "Drop the lease, or the descriptors of the others, with crimg edit.",
    check: leaseConflicts,
  },
  lockRule(
    {
      id: "LEASE_REST",
      level: "error",
      about:
        "Only a lease that is being broken has a time left, and not less than 0; it was more than it becomes.",
      fix: "crimg edit --lease-expiry =0s makes it due at once.",
    },
    function* ({ kind, type, breaking, previous, remaining = 0n }) {
      const isBreaking = kind === "lease" && breaking;
      if (remaining < 0n || (!isBreaking && remaining !== 0n))
        yield {
          what: isBreaking ? "a negative time" : "a time left for what is not being broken",
          expected: isBreaking ? "0 or more seconds" : "0",
          found: `${remaining} ns`,
        };
      if (
        previous !== undefined &&
        (!isBreaking || !(previous === "write" || (previous === "read" && type !== "read")))
      )
        yield {
          what: "invalid former type",
          expected: isBreaking ? "more than it becomes" : "none",
          found: `${previous}`,
        };
    },
  ),
];

/** A rule that looks at each lock by itself; the place and the fix are added. */
function lockRule(
  facts: RuleFacts,
  check: (lock: Lock, context: ImageContext) => Iterable<Omit<Found, "at">>,
): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      for (const lock of context.checkpoint.locks)
        for (const found of check(lock, context)) yield { ...found, ...whereAndFix(context, lock) };
    },
  };
}

function whereAndFix(context: ImageContext, lock: Lock): Pick<Found, "at" | "fix"> {
  const { origin, pid, fd, file, kind } = lock;
  const at = context.placeOf(origin, { pid, fd, path: file?.path });
  // A lock of no descriptor cannot be named by one.
  const isNamed = typeof kind !== "number" && context.descriptor(pid, fd) !== undefined;
  const fix = isNamed
    ? context.editCommand(kind === "lease" ? "--lease" : "--lock", `${pid}:${fd}=drop`)
    : context.dropRecordCommand(origin);
  return { at, ...(fix === undefined ? {} : { fix }) };
}

function typesOf({ kind, breaking }: Lock): readonly string[] {
  return kind === "lease" && breaking ? BROKEN_TO : ["read", "write"];
}

function holderText({ origin, pid, fd }: Lock): string {
  return `record ${origin.record} of task ${pid}, descriptor ${fd}`;
}

/** The first flock and the first lease of each open file. */
function wholeFileLocks({ checkpoint }: ImageContext): ReadonlyMap<string, Lock> {
  const first = new Map<string, Lock>();
  for (const lock of checkpoint.locks) {
    const key = keyOfWhole(lock);
    if (key !== "" && !first.has(key)) first.set(key, lock);
  }
  return first;
}

/** Empty for a lock that may stand beside others of its kind. */
function keyOfWhole(lock: Lock): string {
  return coversWholeFile(lock) && lock.file !== undefined
    ? `${lock.kind} ${lock.file.type} ${lock.file.id}`
    : "";
}

/** A file as far as an image can tell two apart: its path and mount. */
function fileKey(file: OpenFile): string {
  return `${(file.record.mnt_id as number | undefined) ?? -1} ${file.deleted?.keptIn ?? ""} ${file.path}`;
}

/** Locks of one kind on one file by different owners that overlap, one of them for writing. */
function* lockConflicts(context: ImageContext): Generator<Found> {
  const groups = new Map<string, Lock[]>();
  for (const lock of context.checkpoint.locks) {
    if (!excludes(lock)) continue;
    // POSIX and OFD locks exclude each other as well (fcntl(2)).
    const key = `${lock.kind === "ofd" ? "posix" : lock.kind} ${fileKey(lock.file)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [lock]);
    else group.push(lock);
  }
  for (const group of groups.values())
    for (const [lock, rival] of overlaps(group))
      yield {
        what: `a ${lockName(lock)} that another holder's excludes`,
        found: holderText(rival),
        ...whereAndFix(context, lock),
      };
}

/** Nothing is excluded by leases, by mandatory flocks, and by what other rules find damaged. */
function excludes(lock: Lock): lock is Lock & { readonly file: OpenFile } {
  const { kind, type, file, start, end } = lock;
  if (file?.path === undefined || start < 0n || end < start) return false;
  return kind !== "lease" && !MANDATORY.test(`${type}`);
}

/** Locks of one owner do not exclude each other: a POSIX lock's is a descriptor table, another's the open file. */
function ownerOf({ kind, owner, pid, file }: Lock): string {
  return kind === "posix" ? `table ${owner ?? `of ${pid}`}` : `file ${file?.id}`;
}

/**
 * Walks the locks by their start; only the writer and the two readers of different owners that reach furthest can
 * exclude one that starts later.
 */
function* overlaps(locks: Lock[]): Generator<readonly [lock: Lock, rival: Lock]> {
  const sorted = locks.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  let writers: Lock[] = [];
  let readers: Lock[] = [];
  for (const lock of sorted) {
    const isWrite = lock.type === "write";
    const rivals = isWrite ? [...writers, ...readers] : writers;
    const rival = rivals.find((other) => ownerOf(other) !== ownerOf(lock) && other.end >= lock.start);
    if (rival !== undefined) yield [lock, rival];
    if (isWrite) writers = furthest(writers, lock);
    else readers = furthest(readers, lock);
  }
}

/** The lock that reaches furthest, and the one that does so among other owners. */
function furthest(known: readonly Lock[], lock: Lock): Lock[] {
  const [first, ...others] = [...known, lock].sort((a, b) => (a.end > b.end ? -1 : a.end < b.end ? 1 : 0));
  const second = others.find((other) => first !== undefined && ownerOf(other) !== ownerOf(first));
  return [first, second].filter((each) => each !== undefined);
}

/** A lease that is being broken has lost its right already. */
function* leaseConflicts(context: ImageContext): Generator<Found> {
  const { locks, files } = context.checkpoint;
  const leases = locks.filter(({ kind, breaking }) => kind === "lease" && !breaking);
  if (leases.length === 0) return;
  const openers = new Map<string, OpenFile[]>();
  for (const file of files.all) {
    if (file.path === undefined) continue;
    const key = fileKey(file);
    const others = openers.get(key);
    if (others === undefined) openers.set(key, [file]);
    else others.push(file);
  }
  for (const lease of leases) {
    const { file } = lease;
    if (file?.path === undefined) continue;
    const rival = openers
      .get(fileKey(file))
      ?.find(
        (other) =>
          other !== file && (lease.type === "write" || ((other.flags ?? O_RDONLY) & O_ACCMODE) !== O_RDONLY),
      );
    if (rival !== undefined)
      yield {
        what: `a ${lease.type} lease on a file that is open elsewhere${lease.type === "read" ? " for writing" : ""}`,
        found: `open file ${rival.id}, record ${rival.origin.record}`,
        ...whereAndFix(context, lease),
      };
  }
}
