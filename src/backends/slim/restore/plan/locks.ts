import { type Image, type ImageDescriptor, type ImageLock, living } from "../image.js";
import type { StepBase } from "./step.js";

/** Locks and leases of files, fcntl(2), flock(2). */
export type LockStep =
  | (StepBase & { readonly kind: "lock"; readonly fd: number; readonly lock: ImageLock })
  | (StepBase & { readonly kind: "lease"; readonly fd: number; readonly lock: ImageLock });

const TYPES = ["read", "write", "no"];

/** All locks but leases, before any task runs that could take one of them. */
export function lockSteps(image: Image): LockStep[] {
  return eachLock(image, ({ kind }) => kind !== "lease").map(({ task, fd, lock, label }) => {
    const range =
      lock.kind === "flock"
        ? ""
        : ` from ${lock.start}${lock.length === 0n ? " to the end" : `, ${lock.length} bytes`}`;
    return {
      kind: "lock",
      task,
      fd,
      lock,
      what: `take its ${lock.kind} ${TYPES[lock.type] ?? "unknown"} lock of descriptor ${fd} (${label})${range}`,
    };
  });
}

export function leaseSteps(image: Image): LockStep[] {
  return eachLock(image, ({ kind }) => kind === "lease").map(({ task, fd, lock, label }) => ({
    kind: "lease",
    task,
    fd,
    lock,
    what: lock.isBreaking
      ? `take its lease of descriptor ${fd} (${label}) and break it to a ${TYPES[lock.type] ?? "unknown"} lease with ${lock.remaining} s left`
      : `take its ${TYPES[lock.type] ?? "unknown"} lease of descriptor ${fd} (${label})`,
    why: lock.isBreaking ? "its time counts from the end of the restart" : undefined,
  }));
}

function eachLock(
  image: Image,
  isWanted: (lock: ImageLock) => boolean,
): { readonly task: number; readonly fd: number; readonly lock: ImageLock; readonly label: string }[] {
  return living(image).flatMap(({ process, objects }) =>
    image.table(objects.files_objref).flatMap(({ fd, objref, locks }: ImageDescriptor) =>
      locks.filter(isWanted).map((lock) => ({
        task: process.ids.pid,
        fd,
        lock,
        label: image.files.get(objref)?.label ?? `FILE ${objref}`,
      })),
    ),
  );
}
