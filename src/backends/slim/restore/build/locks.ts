import { breakLease } from "../lease-breaks.js";
import { takeLock, verifyLocks } from "../locks.js";
import type { LockStep } from "../plan/locks.js";
import type { Builders } from "./builders.js";

export const LOCKS: Builders<LockStep> = {
  lock: (work, { task, fd, lock }) => takeLock(work.site(task).bench, fd, lock),
  "break lease": ({ files }, { objref, lock }) => breakLease(files.get(objref), lock, files.journal),
  "verify locks": (_work, { task, descriptor }) => verifyLocks(task, descriptor),
};
