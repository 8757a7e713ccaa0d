import { NSEC_PER_SEC } from "../../../linux/time.js";
import { type Lock, lockName } from "../../../model/lock.js";
import type { ImageDescriptor } from "../files/image.js";
import type { Host } from "../restore/host.js";
import { type Image, liveProcesses, tableOwners } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import { lockWords } from "./words.js";

/** Locks and leases of files, fcntl(2), flock(2). */
export type LockStep =
  | (StepBase & { readonly kind: "lock"; readonly fd: number; readonly lock: Lock })
  | (StepBase & { readonly kind: "break lease"; readonly objref: number; readonly lock: Lock })
  | (StepBase & { readonly kind: "verify locks"; readonly descriptor: ImageDescriptor });

/** All locks but leases, before any task runs that could take one of them. */
export function lockSteps(image: Image): LockStep[] {
  return eachLock(image).flatMap((each) => (each.lock.kind === "lease" ? [] : takeStep(each)));
}

/** Leases, then those that break them, which break all leases of a file at once. */
export function leaseSteps(image: Image): LockStep[] {
  const leases = eachLock(image).filter(({ lock }) => lock.kind === "lease");
  const breaking = leases.filter(({ lock }) => lock.breaking);
  return [
    ...leases.map(takeStep),
    ...breaking.map(
      ({ objref, lock, label }): LockStep => ({
        kind: "break lease",
        task: 0,
        objref,
        lock,
        what: `break the lease of ${label} with ${secondsLeft(lock)} s left: ${lockWords(lock)}`,
        why: "its time counts from the end of the restart",
      }),
    ),
  ];
}

/** Reads all locks back, when nothing closes a descriptor of a task any more: with it its POSIX locks would go. */
export function lockCheckSteps(image: Image): LockStep[] {
  return tableOwners(image).flatMap(({ process, objects }) =>
    image
      .table(objects.files_objref)
      .filter(({ locks }) => locks.length > 0)
      .map((descriptor) => ({
        kind: "verify locks",
        task: process.ids.pid,
        descriptor,
        what: `read back the ${descriptor.locks.length} locks of descriptor ${descriptor.fd}`,
      })),
  );
}

/** Whole seconds that a lease which is being broken has left. */
export function secondsLeft({ remaining = 0n }: Lock): number {
  return Number(remaining / NSEC_PER_SEC);
}

interface Taken {
  readonly task: number;
  readonly fd: number;
  readonly objref: number;
  readonly lock: Lock;
  readonly label: string;
}

function takeStep({ task, fd, lock, label }: Taken): LockStep {
  return {
    kind: "lock",
    task,
    fd,
    lock,
    what: `take its ${lockWords(lock.breaking ? { ...lock, breaking: false, type: lock.previous ?? lock.type } : lock)} of descriptor ${fd} (${label})`,
  };
}

/** Locks that belong to an open file show in every descriptor of it and are taken once. */
function eachLock(image: Image): Taken[] {
  const known = new Set<string>();
  return tableOwners(image).flatMap(({ process, objects }) =>
    image.table(objects.files_objref).flatMap(({ fd, objref, locks }: ImageDescriptor) =>
      locks.flatMap((lock): Taken[] => {
        const owner = lock.kind === "posix" ? `table ${objects.files_objref} ${fd}` : `file ${objref}`;
        const key = `${owner} ${lockWords(lock)}`;
        if (known.has(key)) return [];
        known.add(key);
        const label = image.files.get(objref)?.label ?? `FILE ${objref}`;
        return [{ task: process.ids.pid, fd, objref, lock, label }];
      }),
    ),
  );
}

/** Locks of unknown kinds and types, and those that another task keeps from being taken; deleted files have no other users. */
export function unsupportedLocks(image: Image, host: Host): string[] {
  return liveProcesses(image).flatMap(({ process, objects }) =>
    image.table(objects.files_objref).flatMap(({ fd, objref, locks }) => {
      const file = image.files.get(objref);
      const { path } = file ?? {};
      const name = `descriptor ${fd} of task ${process.ids.pid}`;
      return locks.flatMap((lock) => {
        if (typeof lock.kind === "number" || typeof lock.type === "number")
          return [`${name}: ${lockName(lock)}, type ${lock.type}, is not supported`];
        if (path === undefined || file?.deleted !== undefined) return [];
        const conflicts = host.conflictsOf(path, lock);
        if (conflicts.length === 0) return [];
        return [`${name}: its ${lockWords(lock)} of ${path} cannot be taken: ${conflicts.join(", ")}`];
      });
    }),
  );
}
