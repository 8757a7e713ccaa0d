import { O_ACCMODE, O_RDONLY } from "../../../linux/open-flags.js";
import type { Lock, OpenFile } from "../../../model/checkpoint.js";
import type { Found, Place, Rule } from "../finding.js";
import {
  accessProblem,
  conflicts,
  fileKey,
  LOCK_FACTS,
  readLeaseProblem,
  type Span,
  TO_THE_END,
} from "../lock-conflicts.js";
import type { StreamContext } from "./context.js";

/** Rules about locks and leases that cannot stand beside one another. */
export const lockConflictRules: readonly Rule<StreamContext>[] = [
  {
    ...LOCK_FACTS.access,
    *check(context) {
      for (const lock of context.checkpoint.locks) {
        if ((lock.kind !== "posix" && lock.kind !== "ofd") || lock.file?.flags === undefined) continue;
        const problem = accessProblem(lock.file.flags, lock.type === "write");
        const at = placeOf(context, lock);
        if (problem !== undefined) yield { at, ...problem, fix: dropCommand(context, at) };
      }
    },
  },
  {
    ...LOCK_FACTS.conflict,
    *check(context) {
      for (const found of conflicts(context.checkpoint.locks.flatMap((lock) => spanOf(context, lock))))
        yield { ...found, fix: dropCommand(context, found.at) };
    },
  },
  {
    ...LOCK_FACTS.lease,
    *check(context) {
      for (const lock of context.checkpoint.locks) {
        if (lock.kind !== "lease" || lock.breaking || lock.type !== "read") continue;
        const problem = lock.file?.flags === undefined ? undefined : readLeaseProblem(lock.file.flags);
        const at = placeOf(context, lock);
        if (problem !== undefined) yield { at, ...problem, fix: dropCommand(context, at, "--lease") };
      }
    },
  },
  {
    id: "LEASE_CONFLICT",
    level: "error",
    about:
      "Nobody else has a file open that has a write lease, nor one for writing that has a read lease: the kernel gives no such lease.",
    mend: "Drop the lease, or the descriptors of the others, with crimg edit.",
    check: leaseConflicts,
  },
];

/** A lease that is being broken has lost its right already. */
function* leaseConflicts(context: StreamContext): Generator<Found> {
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
          other.id !== file.id && (lease.type === "write" || ((other.flags ?? 0) & O_ACCMODE) !== O_RDONLY),
      );
    const at = placeOf(context, lease);
    if (rival !== undefined)
      yield {
        at,
        what: `a ${lease.type} lease on a file that is open elsewhere${lease.type === "read" ? " for writing" : ""}`,
        found: `object ${rival.id}, record ${rival.origin.record}`,
        fix: dropCommand(context, at, "--lease"),
      };
  }
}

function dropCommand(context: StreamContext, { pid, fd }: Place, flag = "--lock"): string {
  return context.editCommand(flag, `${pid}:${fd}=drop`);
}

function placeOf(context: StreamContext, { origin, pid, fd, file }: Lock): Place {
  return { ...context.at(origin.record, { fd, path: file?.path }), pid };
}

function spanOf(context: StreamContext, lock: Lock): Span[] {
  const { kind, file, start, length, pid, fd, type, owner, origin } = lock;
  if (file?.path === undefined || kind === "lease" || start < 0n || length < 0n) return [];
  return [
    {
      kind,
      file,
      // The same file may be open in several ways: what holds an flock or an OFD lock is its FILE.
      owner: kind === "posix" ? `table ${owner}` : file.id,
      start,
      end: length === 0n ? TO_THE_END : start + length,
      isWrite: type === "write",
      at: placeOf(context, lock),
      holder: `record ${origin.record} of task ${pid}, descriptor ${fd}`,
    },
  ];
}
