import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import { cString } from "../files/named.js";
import { takeLeases, takeLocks } from "../locks.js";
import type { LockStep } from "../plan/locks.js";
import type { Builders } from "./builders.js";

const AT_FDCWD = -100;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

export const LOCKS: Builders<LockStep> = {
  lock: (work, { task, fd, lock }) => takeLocks(work.site(task).bench, { fd, locks: [lock] }),
  lease: (work, { task, fd, lock }) =>
    takeLeases(work.site(task).bench, { fd, locks: [lock] }, (flags) => {
      const path = cString(`/proc/${task}/fd/${fd}`);
      const breaker = attempt(SYS.openat, AT_FDCWD, path, flags | O_NONBLOCK | O_CLOEXEC);
      if (breaker >= 0) attempt(SYS.close, breaker);
    }),
};
