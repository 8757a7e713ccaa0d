import { type Domain, range } from "../io/domains.js";
import { enumTable } from "../io/enums.js";

/** Flags of clone(2), include/uapi/linux/sched.h. */
export const CLONE_VM = 0x100;
export const CLONE_FILES = 0x400;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_THREAD = 0x10000;

/** Flags of waitid(2) and wait4(2), include/uapi/linux/wait.h. */
export const WNOHANG = 1;
export const __WALL = 0x4000_0000;

/** Ids of processes and threads are below it, include/linux/threads.h. */
export const PID_MAX_LIMIT = 4 * 1024 * 1024;

/** Scheduling policies, include/uapi/linux/sched.h, sched(7). */
const SCHED_FIFO = 1;
const SCHED_RR = 2;
export const SCHED_DEADLINE = 6;

/** OR-ed to a policy by sched_getscheduler(2) and sched_setscheduler(2). */
export const SCHED_RESET_ON_FORK = 0x4000_0000;

const POLICIES = { SCHED_OTHER: 0, SCHED_FIFO, SCHED_RR, SCHED_BATCH: 3, SCHED_IDLE: 5 };

/** The policies that sched_setscheduler(2) can set with only a priority, as in a restore; criu 4.2 fails for others. */
export const SCHED_POLICIES = enumTable("sched_policy", {
  ...POLICIES,
  ...Object.fromEntries(
    Object.entries(POLICIES).map(([name, policy]) => [
      `${name}|SCHED_RESET_ON_FORK`,
      policy | SCHED_RESET_ON_FORK,
    ]),
  ),
});

const REAL_TIME_PRIORITY = range(1, 99);
const NO_PRIORITY = range(0, 0);

/** The valid priorities of a policy, sched(7); any for an unknown policy. */
export function schedPriorities(policy: number): Domain | undefined {
  if (!SCHED_POLICIES.names.has(policy)) return undefined;
  const plain = policy & ~SCHED_RESET_ON_FORK;
  return plain === SCHED_FIFO || plain === SCHED_RR ? REAL_TIME_PRIORITY : NO_PRIORITY;
}

/** Ids of threads. */
export const THREAD_ID = range(1, 0x7fff_ffff);

/** nice(2), and oom_score_adj, proc_pid_oom_score_adj(5). */
export const NICE = range(-20, 19);
export const OOM_SCORE_ADJ = range(-1000, 1000);

/** Bytes of struct rseq, include/uapi/linux/rseq.h: the first 32, newer kernels may have more. */
export const RSEQ_BYTES = range(32, 0xffff_ffff);

/** Bytes of struct robust_list_head, three words, include/uapi/linux/futex.h; 0 without a list. */
const ROBUST_LIST_64 = enumTable("robust_list_bytes", { none: 0, list: 24 });
const ROBUST_LIST_32 = enumTable("robust_list_bytes", { none: 0, list: 12 });
export function robustListBytes(wordBytes: number): Domain {
  return wordBytes === 4 ? ROBUST_LIST_32 : ROBUST_LIST_64;
}

/** States of a task in linux-cr streams, include/linux/sched.h of Linux 2.6. */
export const TASK_RUNNING = 0;
export const TASK_STOPPED = 4;
export const TASK_DEAD = 64;
export const EXIT_ZOMBIE = 16;

/** Flags of a task, include/linux/sched.h. */
export const PF_FORKNOEXEC = 0x40;
export const PF_SUPERPRIV = 0x100;

/** Bytes of a task's name with its NUL, include/linux/sched.h, prctl(2) PR_SET_NAME. */
export const TASK_COMM_LEN = 16;

/** ioprio_get(2), include/uapi/linux/ioprio.h. */
export const IOPRIO_WHO_PROCESS = 1;
export const IOPRIO_CLASS_SHIFT = 13;
export const IOPRIO_CLASS_IDLE = 3;

/** futex(2), include/uapi/linux/futex.h. */
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_CLOCK_REALTIME = 256;

/** membarrier(2), include/uapi/linux/membarrier.h. */
export const MEMBARRIER_CMD_GET_REGISTRATIONS = 1 << 9;
