import { isCrimgError } from "../../../io/errors.js";
import { CLONE_VFORK } from "../../../linux/sched.js";
import { readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";
import { waitFor } from "../ptrace/wait.js";

/** Numbers of the calls, and the flag of the second one: linux/sched.h. */
const SYS_CLONE = 56;
const SYS_VFORK = 58;
const SYS_CLONE3 = 435;
/** A child that is to run another program does so within milliseconds. */
const PATIENCE_SECONDS = 2;

/**
 * Whether a thread waits for a child to leave the memory that they share, vfork(2), and goes on doing so: no stop reaches
 * it there.
 */
export function staysInVfork(pid: number, tid: number): boolean {
  try {
    waitFor("vfork", PATIENCE_SECONDS, () => (isInVfork(pid, tid) ? undefined : true));
    return false;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return true;
  }
}

function isInVfork(pid: number, tid: number): boolean {
  const thread = `${pid}/task/${tid}`;
  // It cannot be killed by a stop while it waits, state D; /proc/PID/syscall tells for what, proc_pid_syscall(5).
  if (readStat(thread).state !== "D") return false;
  const [number, first] = readProc(thread, "syscall").split(" ");
  switch (Number(number)) {
    case SYS_VFORK:
    // The flags of clone3(2) stand in memory; a thread that only makes another does not wait.
    case SYS_CLONE3:
      return true;
    case SYS_CLONE:
      return (Number(first) & CLONE_VFORK) !== 0;
    default:
      return false;
  }
}
