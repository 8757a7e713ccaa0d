import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from "../../../linux/errno.js";
import { FUTEX_CLOCK_REALTIME, FUTEX_WAIT_BITSET } from "../../../linux/sched.js";
import { CLOCK_MONOTONIC, CLOCK_REALTIME, NSEC_PER_MSEC, NSEC_PER_SEC } from "../../../linux/time.js";
import type { Registers } from "../ptrace/registers.js";
import { callNumber } from "../ptrace/restart.js";
import type { Tracee } from "../ptrace/tracee.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { clockTime } from "../sys/time.js";
import type { ImageThread } from "./image.js";

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
  lastRun: number | undefined,
): InterruptedCall | undefined {
  if (registers.signed("rax") !== -ERESTART_RESTARTBLOCK) return undefined;
  const number = callNumber(tracee, registers);
  const args = (["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const).map((name) => registers.get(name));
  const [a = 0n, b = 0n, c = 0n, d = 0n, , f = 0n] = args;
  const now = performance.now();
  const slept = BigInt(Math.max(0, Math.round((now - (lastRun ?? now)) * 1000))) * 1000n;
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

/** RESTART_BLOCK.function_type. */
const SLEEP = 2n;
const POLL = 6n;
const FUTEX = 7n;
/** Timeout of poll(2). */
const FOR_EVER = -1n;
const MAX_INT = 0x7fff_ffffn;

/**
 * A thread that was stopped in a call with a timeout makes that call again with the time that was left, and is stopped in
 * it: the kernel will then go on with it by itself once the registers are those of the image.
 */
export function rearm(remote: RemoteTask, thread: ImageThread): void {
  const { registers, restartBlock } = thread;
  if (registers.signed("rax") !== -ERESTART_RESTARTBLOCK) return;
  if (restartBlock.function_type === FUTEX && isAbsolute(Number(restartBlock.arg_2))) {
    // The time when it is over stands in its memory and holds whenever the call is made.
    registers.set("rax", -ERESTARTNOHAND).set("orig_rax", SYS.futex);
    return;
  }
  const call = callOf(remote, thread);
  if (call === undefined) {
    // Nothing tells what it waited for: it sees an interrupted call, as after any signal.
    registers.set("rax", -EINTR).set("orig_rax", -1);
    return;
  }
  const { tracee } = remote;
  const result = tracee.block(remote.site, call);
  // It was over at once: what it gave is what the task gets.
  if (result !== -ERESTART_RESTARTBLOCK) registers.set("rax", result).set("orig_rax", -1);
}

function callOf(
  remote: RemoteTask,
  { registers, restartBlock }: ImageThread,
): (number | bigint)[] | undefined {
  const { function_type: type, arg_0: a, arg_1: b, arg_4: left } = restartBlock;
  const timespec = (): number => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(left / NSEC_PER_SEC, 0);
    bytes.writeBigInt64LE(left % NSEC_PER_SEC, 8);
    return remote.put(bytes);
  };
  switch (type) {
    case SLEEP:
      return [SYS.clock_nanosleep, a, 0, timespec(), b];
    case POLL: {
      const isTimed = restartBlock.arg_2 !== 0n;
      const ms = isTimed ? (left + NSEC_PER_MSEC - 1n) / NSEC_PER_MSEC : FOR_EVER;
      return [SYS.poll, a, b, ms > MAX_INT ? MAX_INT : ms];
    }
    case FUTEX:
      return [SYS.futex, a, restartBlock.arg_2, b, timespec(), 0, registers.get("r9")];
    default:
      return undefined;
  }
}

/** Operation of futex(2) without its options, linux/futex.h. */
const COMMAND = 0x7f;

/** Whether the timeout of an operation that waits is a time of a clock, and not a duration. */
function isAbsolute(operation: number): boolean {
  return (operation & COMMAND) === FUTEX_WAIT_BITSET;
}

/** Clock of such a time. */
function clockOf(operation: number): number {
  return (operation & FUTEX_CLOCK_REALTIME) === 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}
