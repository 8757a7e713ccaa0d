import { NSEC_PER_SEC } from "../../../linux/time.js";
import { SYS } from "./abi-x64.js";
import { call } from "./syscall.js";

/** What a clock shows, in nanoseconds. Errors: KernelError for a clock that there is not. */
export function clockTime(clock: number): bigint {
  const time = Buffer.alloc(16);
  call("read a clock", SYS.clock_gettime, clock, time);
  return time.readBigInt64LE(0) * NSEC_PER_SEC + time.readBigInt64LE(8);
}

/** What is left of a time; one that is over falls due at once. */
export function stillLeft(value: bigint, used: bigint): bigint {
  if (value === 0n) return 0n;
  return value > used ? value - used : 1n;
}

/** struct itimerval or itimerspec: interval and value, seconds and a fraction in units of `unit` ns. */
export function timeBytes(interval: bigint, value: bigint, unit: bigint): Buffer {
  const bytes = Buffer.alloc(32);
  // Less than a unit that is left must not become 0, which disarms.
  const rounded = value > 0n && value < unit ? unit : value;
  bytes.writeBigInt64LE(interval / NSEC_PER_SEC, 0);
  bytes.writeBigInt64LE((interval % NSEC_PER_SEC) / unit, 8);
  bytes.writeBigInt64LE(rounded / NSEC_PER_SEC, 16);
  bytes.writeBigInt64LE((rounded % NSEC_PER_SEC) / unit, 24);
  return bytes;
}
