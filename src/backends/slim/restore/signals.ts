import { EAGAIN } from "../../../linux/errno.js";
import { SYS } from "../sys/abi-x64.js";
import type { RemoteTask } from "./work-area.js";

const ALL = Buffer.alloc(8, 0xff);
/** A queue has at most RLIMIT_SIGPENDING entries; one that never ends would be a fault of ours. */
const MAX_SIGNALS = 100_000;

/** Takes away what was sent to a task while it was made: children that ended, leases that were broken. */
export function drainSignals(remote: RemoteTask): void {
  const set = remote.put(ALL);
  const zero = remote.put(Buffer.alloc(16), 16);
  for (let i = 0; i < MAX_SIGNALS; i++)
    if (remote.attempt(SYS.rt_sigtimedwait, set, 0, zero, ALL.length) === -EAGAIN) return;
}

/** What the process does with each signal: struct sigaction of the kernel each, signal 1 first. */
export function setActions(remote: RemoteTask, actions: readonly Buffer[]): void {
  const SIGKILL = 9;
  const SIGSTOP = 19;
  for (const [i, action] of actions.entries()) {
    const signal = i + 1;
    if (signal === SIGKILL || signal === SIGSTOP) continue;
    remote.call(`set its action for signal ${signal}`, SYS.rt_sigaction, signal, remote.put(action), 0, 8);
  }
}

/** Queues a signal as it was queued, for the thread or for the whole process; the task sends it to itself. */
export function queueSignal(remote: RemoteTask, info: Buffer, isShared: boolean): void {
  const { pid, tid } = remote.tracee;
  const signal = info.readInt32LE(0);
  const address = remote.put(info);
  const doing = `queue signal ${signal}`;
  if (isShared) remote.call(doing, SYS.rt_sigqueueinfo, pid, signal, address);
  else remote.call(doing, SYS.rt_tgsigqueueinfo, pid, tid, signal, address);
}
