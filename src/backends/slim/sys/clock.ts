import { SYS } from "./abi-x64.js";
import { call } from "./syscall.js";

/** linux/time.h. */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
const SECOND = 1_000_000_000n;

/** What a clock shows, in nanoseconds. Errors: KernelError for a clock that there is not. */
export function clockTime(clock: number): bigint {
  const time = Buffer.alloc(16);
  call("look at a clock", SYS.clock_gettime, clock, time);
  return time.readBigInt64LE(0) * SECOND + time.readBigInt64LE(8);
}
