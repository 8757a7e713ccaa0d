import { ERESTART_RESTARTBLOCK } from "../../../linux/errno.js";
import { NSEC_PER_MSEC, NSEC_PER_SEC } from "../../../linux/time.js";
import { clockOf, isAbsolute } from "../futex.js";
import { lastRunOf } from "../proc/sched.js";
import type { Registers } from "../ptrace/registers.js";
import { callNumber } from "../ptrace/restart.js";
import type { Tracee } from "../ptrace/tracee.js";
import { SYS } from "../sys/abi-x64.js";
import { clockTime } from "../sys/clock.js";

/** A call with a timeout that a signal or a tracer interrupted, and how much time it had left, RESTART_BLOCK. */
export interface InterruptedCall {
  /** Number of the call. */
  readonly number: number;
  readonly kind: "nanosleep" | "poll" | "futex";
  /** Nanoseconds from the start of the checkpoint. */
  readonly left: bigint;
  /** The clock of a sleep, the arguments of others. */
  readonly args: readonly bigint[];
}

/**
 * What a thread that stopped in a call with a relative timeout waits for. The kernel wrote the rest of a sleep to where
 * its caller wants it; where it did not, what had passed since the thread last ran is counted as slept.
 */
export function interruptedCall(
  tracee: Tracee,
  registers: Registers,
  lastRun: number,
): InterruptedCall | undefined {
  if (registers.signed("rax") !== -ERESTART_RESTARTBLOCK) return undefined;
  const number = callNumber(tracee, registers);
  const args = (["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const).map((name) => registers.get(name));
  const [a = 0n, b = 0n, c = 0n, d = 0n, , f = 0n] = args;
  const now = lastRunOf(process.pid, process.pid);
  const slept = BigInt(Math.max(0, Math.round((now - lastRun) * 1000))) * 1000n;
  const rest = (request: bigint): bigint => (request > slept ? request - slept : 0n);
  const timespec = (address: bigint): bigint => {
    const bytes = tracee.read(address, 16);
    return bytes.readBigInt64LE(0) * NSEC_PER_SEC + bytes.readBigInt64LE(8);
  };
  switch (number) {
    case SYS.nanosleep:
      return { number, kind: "nanosleep", left: b === 0n ? rest(timespec(a)) : timespec(b), args: [1n, b] };
    case SYS.clock_nanosleep:
      return { number, kind: "nanosleep", left: d === 0n ? rest(timespec(c)) : timespec(d), args: [a, d] };
    case SYS.poll: {
      const timeout = BigInt.asIntN(32, c);
      const isTimed = timeout >= 0n;
      return {
        number,
        kind: "poll",
        left: isTimed ? rest(timeout * NSEC_PER_MSEC) : 0n,
        args: [a, b, isTimed ? 1n : 0n],
      };
    }
    case SYS.futex: {
      const operation = Number(b);
      const left = isAbsolute(operation) ? timeUntil(timespec(d), clockOf(operation)) : rest(timespec(d));
      return { number, kind: "futex", left, args: [a, c, b, f] };
    }
    default:
      return undefined;
  }
}

/** Nanoseconds until a time of a clock, 0 when it has passed. */
function timeUntil(time: bigint, clock: number): bigint {
  const now = clockTime(clock);
  return time > now ? time - now : 0n;
}
