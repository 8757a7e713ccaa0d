import { NSEC_PER_SEC } from "../../../../linux/time.js";
import { breakLease } from "../lease-breaks.js";
import { takeLock, verifyLocks } from "../locks.js";
import type { LockStep } from "../plan/locks.js";
import type { Builders } from "./builders.js";

export const LOCKS: Builders<LockStep> = {
  lock: (context, { task, fd, lock }) => takeLock(context.task(task).remote, fd, lock),
  "break lease"({ files, used }, { objref, lock }) {
    const remaining = lock.remaining - Number(used / NSEC_PER_SEC);
    breakLease(files.get(objref), { ...lock, remaining }, files.journal);
  },
  "verify locks": (_work, { task, descriptor }) => verifyLocks(task, descriptor),
};
