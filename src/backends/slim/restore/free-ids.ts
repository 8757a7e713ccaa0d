import { BackendError, isCrimgError } from "../../../io/errors.js";
import { ESRCH } from "../../../linux/errno.js";
import { readProc } from "../proc/read.js";
import { waitFor } from "../ptrace/wait.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";

/** A task that has ended keeps its id until its parent takes note, which may take a moment. */
const SETTLE_SECONDS = 5;

/** Waits until the ids of all tasks are free. Errors: BackendError naming the task that has one, and its parent. */
export function awaitFreeIds(ids: readonly number[]): void {
  for (const id of ids)
    try {
      waitFor(`the id ${id} is in use`, SETTLE_SECONDS, () => (isFree(id) ? true : undefined));
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      throw new BackendError(`the id ${id} is in use on this host by ${whoHas(id)}`);
    }
}

function isFree(id: number): boolean {
  return attempt(SYS.kill, id, 0) === -ESRCH;
}

function whoHas(id: number): string {
  const text = readProc(id, "stat");
  const [, name, state, parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(text) ?? [];
  return state === "Z"
    ? `a task that has ended (${name}), of which its parent ${parent} has not taken note`
    : `task ${id} (${name}): end it first`;
}
