import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import { borrow, type Description } from "../descriptions.js";
import type { CheckpointContext } from "./context.js";

/** fcntl(2) commands. */
const F_GETSIG = 11;
const F_GETOWN_EX = 16;
/** Kinds of struct f_owner_ex and of FILE_OWNER.pid_type. */
const F_OWNER_PID = 1;
const F_OWNER_PGRP = 2;
const O_ASYNC = 0o20000;

/** FILE_OWNER, when somebody gets the signals of the file. */
export function writeOwner(context: CheckpointContext, description: Description, objref: number): void {
  const { signal, type, pid } = borrow(description, (fd) => {
    const owner = Buffer.alloc(8);
    attempt(SYS.fcntl, fd, F_GETOWN_EX, owner);
    return {
      signal: Math.max(0, attempt(SYS.fcntl, fd, F_GETSIG)),
      type: owner.readInt32LE(0),
      pid: owner.readInt32LE(4),
    };
  });
  const isAsync = (description.info.flags & O_ASYNC) !== 0;
  if (pid === 0 && signal === 0 && !isAsync) return;
  const { status } = context.processes.get(description.pid)?.frozen ?? {};
  context.writer.record(RECORDS.FILE_OWNER, {
    file_objref: objref,
    pid_ref: context.tag(pid),
    pid_type: type === F_OWNER_PGRP ? 1 : type === F_OWNER_PID || type === 0 ? 0 : 2,
    uid: status?.uids[0] ?? 0,
    euid: status?.uids[1] ?? 0,
    signum: signal,
    async: Number(isAsync),
  });
}
