import type { Origin } from "./origin.js";

/** setitimer(2), timer_create(2), timerfd_create(2), and the time limits of calls that the checkpoint interrupted. */
export type TimerKind = "real" | "virtual" | "prof" | "posix" | "timerfd" | "nanosleep" | "poll" | "futex";

/** Times in nanoseconds, counted from the start of the checkpoint. */
export interface Timer {
  readonly kind: TimerKind;
  /** POSIX timer id, the id of the timerfd's open file, or the thread that made the interrupted call. */
  readonly id: number | undefined;
  /** Time left; 0 when not armed. */
  readonly left: bigint;
  readonly interval: bigint;
  /** Number of the clock with its sign: a negative one is the processor clock of a task. */
  readonly clock: number | undefined;
  /** Expirations of a POSIX timer that were not delivered, of a timerfd that nobody has read. */
  readonly overrun: bigint;
  /** How a POSIX timer tells that it expired, sigevent(3type); undefined for others. */
  readonly notice: TimerNotice | undefined;
  /** Flags of timerfd_settime(2); undefined for others. */
  readonly settimeFlags: number | undefined;
  /** False for parts of a second that make a second or more: the kernel refuses the time, and only its sum is kept here. */
  readonly isRegular: boolean;
  readonly origin: Origin;
}

export interface TimerNotice {
  /** SIGEV_ number. */
  readonly how: number;
  readonly signal: number;
  readonly value: bigint;
  /** Thread that gets the signal. */
  readonly thread: number | undefined;
}

/** What a timer has that says no more than its kind and its times. */
export const PLAIN_TIMER = {
  ...{ id: undefined, clock: undefined, overrun: 0n, interval: 0n },
  ...{ notice: undefined, settimeFlags: undefined, isRegular: true },
} as const satisfies Partial<Timer>;

/** The timers of setitimer(2), which every process has, set or not. */
export const INTERVAL_TIMERS = ["real", "virtual", "prof"] as const;
export type IntervalTimerKind = (typeof INTERVAL_TIMERS)[number];

export function isIntervalTimer(kind: TimerKind): kind is IntervalTimerKind {
  return (INTERVAL_TIMERS as readonly TimerKind[]).includes(kind);
}

/** Whether it is the time limit of a call: with nothing left the call ends at once, while a timer is not armed. */
export function isCall(kind: TimerKind): boolean {
  return kind === "nanosleep" || kind === "poll" || kind === "futex";
}

/** A timer with an interval alone is armed with it at the restore. */
export function isArmed({ kind, left, interval }: Timer): boolean {
  return isCall(kind) || left !== 0n || interval !== 0n;
}
