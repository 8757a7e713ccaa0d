import { BackendError } from "../../../io/errors.js";
import { EEXIST, EINVAL, EPERM } from "../../../linux/errno.js";
import { Tracee } from "../ptrace/tracee.js";
import { SYS } from "../sys/abi-x64.js";
import { errnoName } from "../sys/kernel-error.js";

/** struct clone_args, linux/sched.h: eleven u64. */
const CLONE_ARGS_BYTES = 88;
const FLAGS = 0;
const EXIT_SIGNAL = 32;
const SET_TID = 64;
const SET_TID_SIZE = 72;
/** What the threads of a process share: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM. */
export const CLONE_AS_THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000;

/** Where a task makes calls, and its scratch memory. */
export interface Cloner {
  readonly tracee: Tracee;
  readonly scratch: number;
  attempt(number: number, ...args: readonly (number | bigint)[]): number;
  put(bytes: Buffer, at?: number): number;
}

/**
 * A stopped task lets a new one appear, with this very id or one that the kernel chooses; it is stopped as well. `exitSignal` must be 0 with CLONE_PARENT
 * and for threads. Errors: BackendError when the id is in use or may not be chosen.
 */
export function clone(cloner: Cloner, tid: number | "any", flags: number, exitSignal: number): Tracee {
  const args = Buffer.alloc(CLONE_ARGS_BYTES + 8);
  args.writeBigUInt64LE(BigInt(flags), FLAGS);
  args.writeBigUInt64LE(BigInt(exitSignal), EXIT_SIGNAL);
  if (tid !== "any") {
    args.writeBigUInt64LE(BigInt(cloner.scratch + CLONE_ARGS_BYTES), SET_TID);
    args.writeBigUInt64LE(1n, SET_TID_SIZE);
    args.writeUInt32LE(tid, CLONE_ARGS_BYTES);
  }
  const result = cloner.attempt(SYS.clone3, cloner.put(args), CLONE_ARGS_BYTES);
  if (result < 0) throw new BackendError(cloneProblem(tid, -result));
  const isThread = (flags & CLONE_AS_THREAD) === CLONE_AS_THREAD;
  const child = new Tracee(isThread ? cloner.tracee.pid : result, result);
  child.log = cloner.tracee.log;
  child.log?.(`task ${cloner.tracee.tid}: make task ${result}: done`);
  child.awaitStop();
  return child;
}

function cloneProblem(tid: number | "any", errno: number): string {
  switch (errno) {
    case EEXIST:
      return `the id ${tid} is in use on this host: end the task that has it, or wait until its parent has taken note of its end`;
    case EINVAL:
      return `the id ${tid} is more than /proc/sys/kernel/pid_max allows`;
    case EPERM:
      return "choosing the ids of tasks needs the capability CAP_CHECKPOINT_RESTORE";
    default:
      return `cannot make task ${tid}: ${errnoName(errno)}`;
  }
}
