import { EAGAIN } from "../../../linux/errno.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import type { ImageProcess } from "../tasks/image.js";
import { createTimers } from "../timers/apply.js";
import type { SignalStep } from "./plan.js";

export const SIGNALS: Appliers<SignalStep> = {
  timers(context, { task }) {
    const { remote, process } = context.task(task);
    createTimers(remote, process);
  },
  signals(context, { task }) {
    const { remote, process } = context.task(task);
    drainSignals(remote);
    for (const info of process.pending) queueSignal(remote, info, true);
    for (const { tid, pending } of process.threads)
      for (const info of pending) queueSignal(context.remote(task, tid), info, false);
  },
  actions(context, { task }) {
    const { remote, process } = context.task(task);
    setActions(remote, process.actions);
  },
  limits: (context, { task }) => setLimits(context.task(task).process),
};

const ALL = Buffer.alloc(8, 0xff);
/** A queue has at most RLIMIT_SIGPENDING entries; one that never ends would be a fault of ours. */
const MAX_SIGNALS = 100_000;

/** Takes away what was sent to a task while it was made: children that ended, leases that were broken. */
function drainSignals(remote: RemoteTask): void {
  const set = remote.put(ALL);
  const zero = remote.put(Buffer.alloc(16), 16);
  for (let i = 0; i < MAX_SIGNALS; i++)
    if (remote.attempt(SYS.rt_sigtimedwait, set, 0, zero, ALL.length) === -EAGAIN) return;
}

/** What the process does with each signal: struct sigaction of the kernel each, signal 1 first. */
function setActions(remote: RemoteTask, actions: readonly Buffer[]): void {
  const SIGKILL = 9;
  const SIGSTOP = 19;
  for (const [i, action] of actions.entries()) {
    const signal = i + 1;
    if (signal === SIGKILL || signal === SIGSTOP) continue;
    remote.call(`set its action for signal ${signal}`, SYS.rt_sigaction, signal, remote.put(action), 0, 8);
  }
}

/** Queues a signal as it was queued, for the thread or for the whole process; the task sends it to itself. */
function queueSignal(remote: RemoteTask, info: Buffer, isShared: boolean): void {
  const { pid, tid } = remote.tracee;
  const signal = info.readInt32LE(0);
  const address = remote.put(info);
  const doing = `queue signal ${signal}`;
  if (isShared) remote.call(doing, SYS.rt_sigqueueinfo, pid, signal, address);
  else remote.call(doing, SYS.rt_tgsigqueueinfo, pid, tid, signal, address);
}

/** struct rlimit64: soft and hard. */
const RLIMIT_BYTES = 16;

/** Resource limits of a process, prlimit(2): those that are as they were already are left alone. */
function setLimits({ ids: { pid }, limits }: ImageProcess): void {
  for (const [resource, { soft, hard }] of limits.entries()) {
    const limit = Buffer.alloc(RLIMIT_BYTES);
    limit.writeBigUInt64LE(soft, 0);
    limit.writeBigUInt64LE(hard, 8);
    const now = Buffer.alloc(RLIMIT_BYTES);
    attempt(SYS.prlimit64, pid, resource, 0, now);
    if (!now.equals(limit))
      call(`set limit ${resource} of task ${pid}`, SYS.prlimit64, pid, resource, limit, 0);
  }
}
