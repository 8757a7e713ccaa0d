import { SYS } from "../sys/abi-x64.js";
import { onCpu } from "../sys/affinity.js";
import { attempt } from "../sys/syscall.js";
import { readProc } from "./read.js";
import { readStat } from "./stat.js";

/** By CPU, what is to be added to its clock for that of `performance.now()`. */
const offsets = new Map<number, number>();

/**
 * When a thread last began to run, in milliseconds of `performance.now()`: tells how long it sleeps. Undefined when the
 * kernel does not tell. Each CPU counts without interrupts and without what a hypervisor took, so that two of them differ
 * by seconds after a while (kernel/sched/core.c, update_rq_clock_task).
 * Errors: BackendError when it is gone.
 */
export function lastRunOf(pid: number, tid: number): number | undefined {
  const thread = `${pid}/task/${tid}`;
  const began = beganToRun(thread);
  if (began === undefined) return undefined;
  const { cpu } = readStat(thread);
  const offset = offsets.get(cpu) ?? onCpu(cpu, measuredOffset);
  offsets.set(cpu, offset);
  return began + offset;
}

function measuredOffset(): number {
  // What this thread began is noted when it is chosen to run.
  attempt(SYS.sched_yield);
  return performance.now() - (beganToRun(`${process.pid}/task/${process.pid}`) ?? 0);
}

/** Line `se.exec_start` of /proc/PID/task/TID/sched. */
function beganToRun(thread: string): number | undefined {
  const [, text] = /^se\.exec_start\s*:\s*([\d.]+)$/m.exec(readProc(thread, "sched")) ?? [];
  return text === undefined ? undefined : Number(text);
}
