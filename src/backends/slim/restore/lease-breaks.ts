import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { AT_FDCWD, F_SETOWN } from "../../../linux/files.js";
import { F_RDLCK } from "../../../linux/locks.js";
import { O_CLOEXEC, O_NONBLOCK, O_WRONLY } from "../../../linux/open-flags.js";
import type { Journal } from "../journal.js";
import { SYS } from "../sys/abi-x64.js";
import { errnoName } from "../sys/kernel-error.js";
import { attempt, call } from "../sys/syscall.js";
import { cString } from "./files/named.js";
import type { ImageLock } from "./image.js";

const EWOULDBLOCK = 11;
const BREAK_TIME = "/proc/sys/fs/lease-break-time";

/**
 * Gives a lease its breaker back: `own`, crimg's descriptor for its file, is opened in the way that breaks it, which does
 * not wait. The holder got his signal before the checkpoint and gets none now: nobody owns the file meanwhile.
 */
export function breakLease(own: number, { type, remaining }: ImageLock, journal: Journal): void {
  call("take a file from its owner", SYS.fcntl, own, F_SETOWN, 0);
  // Whoever reads lets a write lease become a read lease; whoever writes takes any lease away.
  const flags = (type === F_RDLCK ? 0 : O_WRONLY) | O_NONBLOCK | O_CLOEXEC;
  withBreakTime(Math.max(1, remaining), journal, () => {
    const fd = attempt(SYS.openat, AT_FDCWD, cString(`/proc/self/fd/${own}`), flags);
    if (fd >= 0) attempt(SYS.close, fd);
    if (fd !== -EWOULDBLOCK)
      throw new BackendError(`a lease is not broken again: ${fd >= 0 ? "nothing holds it" : errnoName(-fd)}`);
  });
}

/**
 * Breaks that begin meanwhile fall due after `seconds`. There is one such time for the whole host; it is another for some
 * microseconds, in which leases of others that come to be broken get it as well. The journal gives it back in any case.
 */
function withBreakTime(seconds: number, journal: Journal, use: () => void): void {
  const usual = fs.readFileSync(BREAK_TIME, "latin1").trim();
  if (Number(usual) === seconds) {
    use();
    return;
  }
  const id = journal.value(BREAK_TIME, usual);
  try {
    fs.writeFileSync(BREAK_TIME, String(seconds));
    use();
  } catch (error) {
    if (error instanceof BackendError) throw error;
    throw new BackendError("cannot set the time that leases being broken have left", { cause: error });
  } finally {
    fs.writeFileSync(BREAK_TIME, usual);
    journal.forget(id);
  }
}
