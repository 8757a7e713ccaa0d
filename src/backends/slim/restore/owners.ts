import { BackendError } from "../../../io/errors.js";
import { F_GETFL, F_SETFL, F_SETOWN_EX, F_SETSIG } from "../../../linux/files.js";
import { O_ASYNC } from "../../../linux/open-flags.js";
import { PR_SET_DUMPABLE } from "../../../linux/prctl.js";
import type { FileOwner } from "../../../model/checkpoint.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";

/** struct f_owner_ex. */
const OWNER_TYPES: Readonly<Record<string, number>> = { thread: 0, process: 1, group: 2 };

/** Directs the signals of an open file of crimg to whom it had directed them. Errors: BackendError. */
export function setOwner(fd: number, owner: FileOwner | undefined, isAsync: boolean): void {
  if (owner !== undefined && owner.pid !== 0) {
    const type = OWNER_TYPES[owner.kind];
    if (type === undefined) throw new BackendError(`the signals of a file cannot go to a ${owner.kind}`);
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(type, 0);
    bytes.writeInt32LE(owner.pid, 4);
    as(owner.uid, owner.euid, () =>
      call(`direct the signals of a file to ${owner.kind} ${owner.pid}`, SYS.fcntl, fd, F_SETOWN_EX, bytes),
    );
  }
  if (owner !== undefined && owner.signal !== 0)
    call("choose the signal of a file", SYS.fcntl, fd, F_SETSIG, owner.signal);
  if (!isAsync) return;
  const flags = call("read the flags of a file", SYS.fcntl, fd, F_GETFL);
  call("let a file send signals", SYS.fcntl, fd, F_SETFL, flags | O_ASYNC);
}

/** The kernel keeps who asked, and whether they may send signals; only this thread of crimg changes its user meanwhile. */
function as(uid: number, euid: number, use: () => void): void {
  const own = process.geteuid?.() ?? 0;
  if (uid === own && euid === own) {
    use();
    return;
  }
  call(`act as user ${uid}`, SYS.setresuid, uid, euid, own);
  try {
    use();
  } finally {
    attempt(SYS.setresuid, own, own, own);
    // Changing the user hides a process from those that may trace it: the tasks take their descriptors from it.
    attempt(SYS.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
}
