import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import type { ImageProcess } from "./image-task.js";

/** struct rlimit64: soft and hard. */
const RLIMIT_BYTES = 16;

/** Resource limits of a process, prlimit(2): those that are as they were already are left alone. */
export function setLimits({ ids: { pid }, signal }: ImageProcess): void {
  for (const [resource, { rlim_cur, rlim_max }] of (signal?.rlim ?? []).entries()) {
    const limit = Buffer.alloc(RLIMIT_BYTES);
    limit.writeBigUInt64LE(rlim_cur, 0);
    limit.writeBigUInt64LE(rlim_max, 8);
    const now = Buffer.alloc(RLIMIT_BYTES);
    attempt(SYS.prlimit64, pid, resource, 0, now);
    if (!now.equals(limit))
      call(`set limit ${resource} of task ${pid}`, SYS.prlimit64, pid, resource, limit, 0);
  }
}
