import { readProc } from "./read.js";

/** Line `se.exec_start` of /proc/PID/task/TID/sched, in milliseconds; 0 when the kernel does not tell. */
export function lastRunOf(pid: number, tid: number): number {
  const [, text] = /^se\.exec_start\s*:\s*([\d.]+)$/m.exec(readProc(`${pid}/task/${tid}`, "sched")) ?? [];
  return Number(text ?? 0);
}
