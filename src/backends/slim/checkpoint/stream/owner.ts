import { RECORDS } from "../../../../formats/linux-cr/records.js";
import {
  F_GETOWN_EX,
  F_GETOWNER_UIDS,
  F_GETSIG,
  F_OWNER_PGRP,
  F_OWNER_TID,
} from "../../../../linux/files.js";
import { O_ASYNC, O_PATH } from "../../../../linux/open-flags.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import { borrow, type OpenFileState } from "../descriptions.js";
import type { CheckpointContext } from "./context.js";

const OWNER = { process: 0, group: 1, thread: 3 } as const;

/** Who gets the signals of an open file. */
export interface Owner {
  /** FILE_OWNER.pid_type. */
  readonly type: number;
  /** 0 for nobody, or a task that has ended. */
  readonly pid: number;
  /** 0 is SIGIO. */
  readonly signal: number;
  /** Whose rights count when the signal is sent. */
  readonly uid: number;
  readonly euid: number;
}

const NOBODY: Owner = { type: OWNER.process, pid: 0, signal: 0, uid: 0, euid: 0 };

export function ownerOf(file: OpenFileState): Owner {
  if ((file.info.flags & O_PATH) !== 0) return NOBODY;
  return borrow(file, (fd) => {
    const owner = Buffer.alloc(8);
    attempt(SYS.fcntl, fd, F_GETOWN_EX, owner);
    const ids = Buffer.alloc(8);
    attempt(SYS.fcntl, fd, F_GETOWNER_UIDS, ids);
    const [type, pid] = [owner.readInt32LE(0), owner.readInt32LE(4)];
    return {
      type:
        type === F_OWNER_PGRP
          ? OWNER.group
          : type === F_OWNER_TID && pid !== 0
            ? OWNER.thread
            : OWNER.process,
      pid,
      signal: Math.max(0, attempt(SYS.fcntl, fd, F_GETSIG)),
      uid: ids.readUInt32LE(0),
      euid: ids.readUInt32LE(4),
    };
  });
}

/** FILE_OWNER, when somebody gets the signals of the file. */
export function writeOwner(context: CheckpointContext, file: OpenFileState, objref: number): void {
  const { signal, type, pid, uid, euid } = ownerOf(file);
  const isAsync = (file.info.flags & O_ASYNC) !== 0;
  if (pid === 0 && signal === 0 && !isAsync) return;
  context.writer.record(RECORDS.FILE_OWNER, {
    file_objref: objref,
    pid_ref: context.tag(pid),
    pid_type: type,
    uid,
    euid,
    signum: signal,
    async: Number(isAsync),
  });
}
