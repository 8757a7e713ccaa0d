import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import {
  PR_SET_CHILD_SUBREAPER,
  PR_SET_NAME,
  PR_SET_PDEATHSIG,
  PR_SET_THP_DISABLE,
} from "../../../linux/prctl.js";
import { TASK_COMM_LEN } from "../../../linux/sched.js";
import { SS_DISABLE } from "../../../linux/signals.js";
import { readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import { joinXsave } from "../sys/xsave.js";
import type { ImageProcess, ImageThread } from "./image.js";
import { rearm } from "./interrupted-call.js";
import type { AttributeStep, ThreadStep } from "./plan.js";
import { CLONE_AS_THREAD, clone } from "./stub-process.js";

export const THREADS: Appliers<ThreadStep> = {
  thread(context, { task, thread: { tid } }) {
    const { remote, remotes } = context.task(task);
    remotes.set(tid, remote.for(clone(remote, tid, CLONE_AS_THREAD, 0)));
  },
  "set up thread": (context, { task, thread }) => setUpThread(context.remote(task, thread.tid), thread),
};

export const ATTRIBUTES: Appliers<AttributeStep> = {
  "process attributes"(context, { task }) {
    const { remote, process } = context.task(task);
    setProcessAttributes(remote, process);
  },
  "thread attributes": (context, { task, thread }) =>
    setThreadAttributes(context.remote(task, thread.tid), thread),
};

/** The name that ps(1) shows, PR_SET_NAME of prctl(2). */
export function setName(remote: RemoteTask, comm: string): void {
  const name = Buffer.alloc(TASK_COMM_LEN);
  textToBytes(comm).copy(name, 0, 0, TASK_COMM_LEN - 1);
  remote.call("set its name", SYS.prctl, PR_SET_NAME, remote.put(name), 0, 0, 0);
}

/** What the kernel keeps for a thread beside its registers. */
function setUpThread(remote: RemoteTask, thread: ImageThread): void {
  const { task, rseq, comm } = thread;
  setName(remote, comm);
  const stack = Buffer.alloc(24);
  stack.writeBigUInt64LE(task.sas_ss_sp ?? 0n, 0);
  stack.writeInt32LE((task.sas_ss_size ?? 0) === 0 ? SS_DISABLE : 0, 8);
  stack.writeBigUInt64LE(BigInt(task.sas_ss_size ?? 0), 16);
  remote.call("set its signal stack", SYS.sigaltstack, remote.put(stack), 0);
  remote.call("set its tid address", SYS.set_tid_address, task.clear_child_tid);
  if (task.robust_futex_list !== 0n)
    remote.call(
      "set its robust futex list",
      SYS.set_robust_list,
      task.robust_futex_list,
      task.robust_futex_head_len,
    );
  if (rseq !== undefined) {
    const words = remote.tracee.read(rseq.abi_pointer + 8n, 8);
    remote.call(
      "register its restartable sequences",
      SYS.rseq,
      rseq.abi_pointer,
      rseq.abi_size,
      0,
      rseq.signature,
    );
    // Registering clears the pointer to the sequence that it was in.
    remote.tracee.write(rseq.abi_pointer + 8n, words);
  }
}

/** Signal that it gets when its parent ends: after credentials, whose change clears it. */
export function setDeathSignal(remote: RemoteTask, { task }: ImageThread): void {
  if (task.pdeath_signal !== 0)
    remote.call("set its death signal", SYS.prctl, PR_SET_PDEATHSIG, task.pdeath_signal);
}

/**
 * Goes from work to life: registers, extended state and mask of the image, inside the kernel's signal loop. `last` is done
 * when the thread needs its work area no more.
 */
export function finishThread(remote: RemoteTask, thread: ImageThread, last?: () => void): void {
  const { tracee } = remote;
  rearm(remote, thread);
  last?.();
  tracee.enterSignalLoop();
  tracee.setXstate(joinXsave(thread.extended));
  tracee.setRegisters(thread.registers);
  tracee.setSignalMask(thread.blocked);
}

/** TASK_EXTRA.flags. */
const OOM_STORED = 1;
const SCHEDULING_STORED = 4;
/** struct sched_attr, sched_setattr(2). */
const SCHED_ATTR_BYTES = 48;
/** Bits of MEMBARRIER_CMD_GET_REGISTRATIONS: the commands themselves, linux/membarrier.h. */
const BARRIER_COMMANDS = 32;

/** What belongs to a whole process, by TASK_EXTRA of its leader. Errors: BackendError naming what is not allowed. */
function setProcessAttributes(remote: RemoteTask, { ids, threads: [leader] }: ImageProcess): void {
  const extra = leader?.extra;
  if (extra === undefined) return;
  if (extra.child_subreaper !== 0)
    remote.call("become a child subreaper", SYS.prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (extra.thp_disabled !== 0)
    remote.call("turn off transparent huge pages", SYS.prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
  for (let bit = 0; bit < BARRIER_COMMANDS; bit++)
    if ((extra.membarrier_mask & (1 << bit)) !== 0)
      remote.call("register for membarrier", SYS.membarrier, 1 << bit, 0, 0);
  if ((extra.flags & OOM_STORED) !== 0) setOomScoreAdjust(ids.pid, extra.oom_score_adj);
}

/** Lower than crimg's own needs CAP_SYS_RESOURCE: proc_pid_oom_score_adj(5). */
function setOomScoreAdjust(pid: number, wanted: number): void {
  const name = "oom_score_adj";
  if (Number(readProc(pid, name)) === wanted) return;
  try {
    fs.writeFileSync(`/proc/${pid}/${name}`, String(wanted));
  } catch (cause) {
    throw new BackendError(`task ${pid} had oom_score_adj ${wanted}; setting it needs CAP_SYS_RESOURCE`, {
      cause,
    });
  }
}

/** Scheduling and personality of a thread: those that are as they were already need no privilege. */
function setThreadAttributes(remote: RemoteTask, { tid, extra }: ImageThread): void {
  if (extra === undefined) return;
  const { pid } = remote.tracee;
  if ((extra.flags & SCHEDULING_STORED) !== 0) {
    const { sched_policy: policy, sched_nice: nice, sched_priority: priority } = extra;
    const now = readStat(`${pid}/task/${tid}`);
    const isSame = now.schedulingPolicy === policy && now.nice === nice && now.realtimePriority === priority;
    if (!isSame) {
      const attributes = Buffer.alloc(SCHED_ATTR_BYTES);
      attributes.writeUInt32LE(SCHED_ATTR_BYTES, 0);
      attributes.writeUInt32LE(policy, 4);
      attributes.writeInt32LE(nice, 16);
      attributes.writeUInt32LE(priority, 20);
      call(`set the scheduling of thread ${tid}`, SYS.sched_setattr, tid, attributes, 0);
    }
  }
  const persona = BigInt(`0x${readProc(`${pid}/task/${tid}`, "personality").trim()}`);
  if (persona !== extra.personality) remote.call("set its personality", SYS.personality, extra.personality);
}
