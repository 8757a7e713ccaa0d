import { FUTEX_CLOCK_REALTIME, FUTEX_WAIT_BITSET } from "../../linux/sched.js";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../../linux/time.js";

/** Operation of futex(2) without its options, linux/futex.h. */
const COMMAND = 0x7f;

/** Whether the timeout of an operation that waits is a time of a clock, and not a duration. */
export function isAbsolute(operation: number): boolean {
  return (operation & COMMAND) === FUTEX_WAIT_BITSET;
}

/** Clock of such a time. */
export function clockOf(operation: number): number {
  return (operation & FUTEX_CLOCK_REALTIME) === 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}
