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
  const { addresses, rseq, comm } = thread;
  const { clearTid, robustList, robustListBytes, signalStack } = addresses;
  setName(remote, comm);
  const stack = Buffer.alloc(24);
  stack.writeInt32LE(SS_DISABLE, 8);
  if (signalStack !== undefined) {
    stack.writeBigUInt64LE(signalStack.start, 0);
    stack.writeInt32LE(signalStack.flags, 8);
    stack.writeBigUInt64LE(signalStack.end - signalStack.start, 16);
  }
  remote.call("set its signal stack", SYS.sigaltstack, remote.put(stack), 0);
  remote.call("set its tid address", SYS.set_tid_address, clearTid);
  if (robustList !== 0n)
    remote.call("set its robust futex list", SYS.set_robust_list, robustList, robustListBytes);
  // criu stores an address of 0 for a thread that has registered none.
  if (rseq !== undefined && rseq.address !== 0n) {
    const { address, size, signature } = rseq;
    const words = remote.tracee.read(address + 8n, 8);
    remote.call("register its restartable sequences", SYS.rseq, address, size, 0, signature);
    // Registering clears the pointer to the sequence that it was in.
    remote.tracee.write(address + 8n, words);
  }
}

/** Signal that it gets when its parent ends: after credentials, whose change clears it. */
export function setDeathSignal(remote: RemoteTask, { deathSignal }: ImageThread): void {
  if (deathSignal !== 0) remote.call("set its death signal", SYS.prctl, PR_SET_PDEATHSIG, deathSignal);
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

/** struct sched_attr, sched_setattr(2). */
const SCHED_ATTR_BYTES = 48;
/** Bits of MEMBARRIER_CMD_GET_REGISTRATIONS: the commands themselves, linux/membarrier.h. */
const BARRIER_COMMANDS = 32;

/** What belongs to a whole process. Errors: BackendError naming what is not allowed. */
function setProcessAttributes(remote: RemoteTask, process: ImageProcess): void {
  const { childSubreaper, membarrier = 0, oomScoreAdj } = process.attributes;
  if (childSubreaper === true)
    remote.call("become a child subreaper", SYS.prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if ((process.threads[0]?.extra?.thp_disabled ?? 0) !== 0)
    remote.call("turn off transparent huge pages", SYS.prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
  for (let bit = 0; bit < BARRIER_COMMANDS; bit++)
    if ((membarrier & (1 << bit)) !== 0)
      remote.call("register for membarrier", SYS.membarrier, 1 << bit, 0, 0);
  if (oomScoreAdj !== undefined) setOomScoreAdjust(process.ids.pid, oomScoreAdj);
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
function setThreadAttributes(remote: RemoteTask, { tid, schedule, extra }: ImageThread): void {
  const { pid } = remote.tracee;
  if (schedule !== undefined) {
    const { policy, nice, priority } = schedule;
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
  if (extra === undefined) return;
  const persona = BigInt(`0x${readProc(`${pid}/task/${tid}`, "personality").trim()}`);
  if (persona !== extra.personality) remote.call("set its personality", SYS.personality, extra.personality);
}
