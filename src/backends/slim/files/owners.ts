import { BackendError } from "../../../io/errors.js";
import {
  F_GETFL,
  F_GETOWN_EX,
  F_GETOWNER_UIDS,
  F_GETSIG,
  F_OWNER_PGRP,
  F_OWNER_PID,
  F_OWNER_TID,
  F_SETFL,
  F_SETOWN_EX,
  F_SETSIG,
} from "../../../linux/files.js";
import { O_ASYNC, O_PATH } from "../../../linux/open-flags.js";
import { PR_SET_DUMPABLE } from "../../../linux/prctl.js";
import { NumberNames } from "../../../model/number-names.js";
import type { FileOwner } from "../../../model/open-file.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import { borrow, type OpenFileState } from "./open-files.js";

/** Types of struct f_owner_ex, fcntl(2). */
const KINDS = new NumberNames<Exclude<FileOwner["kind"], number | "session">>([
  [F_OWNER_TID, "thread"],
  [F_OWNER_PID, "process"],
  [F_OWNER_PGRP, "group"],
]);

/** Who gets the signals of an open file: nobody yet, when it has O_ASYNC alone; undefined when it sends none. */
export function ownerOf(file: OpenFileState): FileOwner | undefined {
  const { flags } = file.info;
  if ((flags & O_PATH) !== 0) return undefined;
  return borrow(file, (fd) => {
    const owner = Buffer.alloc(8);
    attempt(SYS.fcntl, fd, F_GETOWN_EX, owner);
    const ids = Buffer.alloc(8);
    attempt(SYS.fcntl, fd, F_GETOWNER_UIDS, ids);
    const [type, pid] = [owner.readInt32LE(0), owner.readInt32LE(4)];
    const signal = Math.max(0, attempt(SYS.fcntl, fd, F_GETSIG));
    if (pid === 0 && signal === 0 && (flags & O_ASYNC) === 0) return undefined;
    const kind = pid === 0 ? "process" : KINDS.nameOf(type);
    return { kind, pid, signal, uid: ids.readUInt32LE(0), euid: ids.readUInt32LE(4) };
  });
}

/** Sets owner and signal of an open file of crimg as in the image. Errors: BackendError. */
export function setOwner(fd: number, owner: FileOwner | undefined, isAsync: boolean): void {
  if (owner !== undefined && owner.pid !== 0) {
    const type = owner.kind === "session" ? undefined : KINDS.numberOf(owner.kind);
    if (type === undefined) throw new BackendError(`a ${owner.kind} cannot own the signals of a file`);
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(type, 0);
    bytes.writeInt32LE(owner.pid, 4);
    as(owner.uid, owner.euid, () =>
      call(`set the owner of a file to ${owner.kind} ${owner.pid}`, SYS.fcntl, fd, F_SETOWN_EX, bytes),
    );
  }
  if (owner !== undefined && owner.signal !== 0)
    call("set the signal of a file", SYS.fcntl, fd, F_SETSIG, owner.signal);
  if (!isAsync) return;
  const flags = call("read the flags of a file", SYS.fcntl, fd, F_GETFL);
  call("set O_ASYNC of a file", SYS.fcntl, fd, F_SETFL, flags | O_ASYNC);
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
