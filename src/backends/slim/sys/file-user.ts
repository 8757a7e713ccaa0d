import { BackendError } from "../../../io/errors.js";
import type { FileUser } from "../../backend.js";
import type { Status } from "../proc/status.js";
import { SYS } from "./abi-x64.js";
import { attempt, call } from "./syscall.js";

/** Of the four ids in /proc/PID/status that of the file system. */
const FSID = 3;
/** No id: setfsuid(2) only returns the one that is set. */
const NO_CHANGE = 0xffff_ffff;

let isInside = false;

/**
 * Runs `work` with the rights of a user to files, setfsuid(2): whatever paths lead to meanwhile, root opens, makes and
 * removes no more than that user could. These are rights of one thread; calls of Node that end at once are made by it.
 * Errors: those of `work`; BackendError if the kernel refuses.
 */
export function withRightsOf<T>(user: FileUser | undefined, work: () => T): T {
  if (user === undefined || isInside) return work();
  const groups = process.getgroups?.() ?? [];
  isInside = true;
  try {
    become(user.uid, user.gid, [...user.gids]);
    return work();
  } finally {
    isInside = false;
    become(process.geteuid?.() ?? 0, process.getegid?.() ?? 0, groups);
  }
}

/** The user whose rights to files a task has; undefined when crimg has no others, or the task is root's. */
export function fileUserOf({
  uids,
  gids,
  groups,
}: Pick<Status, "uids" | "gids" | "groups">): FileUser | undefined {
  const [uid = 0, gid = 0] = [uids[FSID], gids[FSID]];
  if (process.geteuid?.() !== 0 || uid === 0) return undefined;
  return { uid, gid, gids: new Set(groups) };
}

function become(uid: number, gid: number, groups: readonly number[]): void {
  const list = Buffer.alloc(groups.length * 4);
  for (const [i, group] of groups.entries()) list.writeUInt32LE(group, i * 4);
  call("set the groups for files", SYS.setgroups, groups.length, list);
  attempt(SYS.setfsgid, gid);
  attempt(SYS.setfsuid, uid);
  if (attempt(SYS.setfsgid, NO_CHANGE) !== gid || attempt(SYS.setfsuid, NO_CHANGE) !== uid)
    throw new BackendError(`cannot act with the rights of uid ${uid} and gid ${gid}`);
}
