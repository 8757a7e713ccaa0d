import { SYS } from "./abi-x64.js";
import { attempt } from "./syscall.js";

/** sched_setaffinity(2): bytes enough for the most CPUs that a kernel can be built for, NR_CPUS of x86. */
const CPU_MASK_BYTES = 1024;

/** The CPUs on which a thread may run, 0 for this one: bit n of the bytes is CPU n. */
export function cpusOf(tid: number): Buffer {
  const mask = Buffer.alloc(CPU_MASK_BYTES);
  const size = attempt(SYS.sched_getaffinity, tid, mask.length, mask);
  return mask.subarray(0, Math.max(0, size));
}

/** Calls on a CPU, and gives the thread all that it had; where it may not go there, on any. */
export function onCpu<T>(cpu: number, use: () => T): T {
  const old = cpusOf(0);
  const mask = Buffer.alloc(Math.max(old.length, (cpu >> 3) + 1));
  mask[cpu >> 3] = 1 << (cpu & 7);
  attempt(SYS.sched_setaffinity, 0, mask.length, mask);
  try {
    return use();
  } finally {
    attempt(SYS.sched_setaffinity, 0, old.length, old);
  }
}
