import { NSEC_PER_SEC } from "../../../linux/time.js";
import { SYS } from "./abi-x64.js";
import { call } from "./syscall.js";

/** What a clock shows, in nanoseconds. Errors: KernelError for a clock that there is not. */
export function clockTime(clock: number): bigint {
  const time = Buffer.alloc(16);
  call("look at a clock", SYS.clock_gettime, clock, time);
  return time.readBigInt64LE(0) * NSEC_PER_SEC + time.readBigInt64LE(8);
}
