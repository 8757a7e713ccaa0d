import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { NANOSECONDS, NSEC_PER_SEC } from "../../linux/time.js";
import {
  INTERVAL_TIMERS,
  type IntervalTimerKind,
  isCall,
  isIntervalTimer,
  PLAIN_TIMER,
  type Timer,
  type TimerKind,
} from "../timer.js";
import type { StreamReader } from "./reader.js";

type TimerState = Omit<Timer, "origin">;

/** Fields of SIGNAL: the time left and the interval of each timer of setitimer(2). */
const ITIMER_FIELDS = {
  real: ["it_real_value", "it_real_incr"],
  virtual: ["it_virt_value", "it_virt_incr"],
  prof: ["it_prof_value", "it_prof_incr"],
} as const satisfies Readonly<Record<IntervalTimerKind, readonly [string, string]>>;

/** The three timers of setitimer(2), from the SIGNAL record of a process. */
export function decodeIntervalTimers(reader: StreamReader, owner: Part): Timer[] {
  const found = reader.find(owner, RECORDS.SIGNAL);
  if (found === undefined) return [];
  const origin = reader.origin(found.index);
  return INTERVAL_TIMERS.map((kind) => {
    const [left, interval] = ITIMER_FIELDS[kind];
    return { ...PLAIN_TIMER, kind, left: found.value[left], interval: found.value[interval], origin };
  });
}

/** Timers of timer_create(2), which our records keep beside the leader of the process. */
export function decodePosixTimers(reader: StreamReader, leader: Part): Timer[] {
  return leader.records
    .filter((record) => reader.image.kind(record) === RECORDS.POSIX_TIMER)
    .map((record) => {
      const timer = reader.image.value(record, RECORDS.POSIX_TIMER);
      return {
        ...PLAIN_TIMER,
        kind: "posix",
        id: timer.timer_id,
        left: timer.value_ns,
        interval: timer.interval_ns,
        clock: timer.clock_id,
        overrun: BigInt(timer.overrun),
        notice: {
          how: timer.sigev_notify,
          signal: timer.signo,
          value: timer.sigval,
          thread: timer.notify_tid === 0 ? undefined : timer.notify_tid,
        },
        origin: reader.origin(record),
      };
    });
}

/** The timer of a FILE of timerfd_create(2); undefined when the stream has none for it. */
export function decodeTimerfd(reader: StreamReader, part: Part): Timer | undefined {
  const found = reader.find(part, RECORDS.TIMERFD);
  if (found === undefined) return undefined;
  const { value, index } = found;
  const { clock_id, settime_flags, ticks, value_ns, interval_ns } = value;
  return {
    ...PLAIN_TIMER,
    ...{ kind: "timerfd", id: part.objref, left: value_ns, interval: interval_ns },
    ...{ clock: clock_id, overrun: ticks, settimeFlags: settime_flags },
    origin: reader.origin(index),
  };
}

/** RESTART_BLOCK.function_type of calls with a time limit. */
const CALLS: Readonly<Record<number, TimerKind>> = {
  2: "nanosleep",
  3: "nanosleep",
  4: "nanosleep",
  5: "nanosleep",
  6: "poll",
  7: "futex",
};
/** Bit of arg_2 by which the kernel remembers that a futex call has a time limit. */
const FUTEX_HAS_TIMEOUT = 4n;

/** The time limit of the call that the checkpoint interrupted in a thread; undefined for a call without one. */
export function decodeCall(reader: StreamReader, thread: Part, tid: number): Timer | undefined {
  const found = reader.find(thread, RECORDS.RESTART_BLOCK);
  if (found === undefined) return undefined;
  const { function_type: type, arg_0: clock, arg_2: flags, arg_4: left } = found.value;
  const kind = CALLS[Number(type)];
  if (kind === undefined || (kind === "poll" && flags === 0n)) return undefined;
  if (kind === "futex" && (flags & FUTEX_HAS_TIMEOUT) === 0n && left === 0n) return undefined;
  return {
    ...PLAIN_TIMER,
    ...{ kind, id: tid, left },
    clock: kind === "nanosleep" ? Number(clock) : undefined,
    origin: reader.origin(found.index),
  };
}

/** The fields of the record of a timer, what is left first. */
export function encodeTimer(timer: Timer): Readonly<Record<string, unknown>> {
  if (isIntervalTimer(timer.kind)) return encodeIntervalTimer(timer);
  if (isCall(timer.kind)) return { arg_4: timer.left };
  return timer.kind === "posix" ? encodePosixTimer(timer) : encodeTimerfd(timer);
}

/** The fields of SIGNAL for the timers of setitimer(2) among these. */
export function encodeIntervalTimers(timers: readonly TimerState[]): Readonly<Record<string, bigint>> {
  const own = timers.filter(({ kind }) => isIntervalTimer(kind));
  return Object.assign({}, ...own.map(encodeIntervalTimer));
}

function encodeIntervalTimer({ kind, left, interval }: TimerState): Readonly<Record<string, bigint>> {
  const [value, every] = ITIMER_FIELDS[kind as IntervalTimerKind];
  return { [value]: nanoseconds(left), [every]: nanoseconds(interval) };
}

export function encodePosixTimer(
  timer: TimerState,
): Omit<RecordValue<typeof RECORDS.POSIX_TIMER>, "pad" | "flags"> {
  const { id = 0, clock = 0, notice, overrun, left, interval } = timer;
  return {
    value_ns: nanoseconds(left),
    interval_ns: nanoseconds(interval),
    timer_id: id,
    clock_id: clock,
    sigev_notify: notice?.how ?? 0,
    signo: notice?.signal ?? 0,
    overrun: Number(overrun),
    notify_tid: notice?.thread ?? 0,
    sigval: notice?.value ?? 0n,
  };
}

export function encodeTimerfd(timer: Timer): RecordValue<typeof RECORDS.TIMERFD> {
  const { clock = 0, settimeFlags = 0, overrun, left, interval } = timer;
  return {
    value_ns: nanoseconds(left),
    interval_ns: nanoseconds(interval),
    clock_id: clock,
    settime_flags: settimeFlags,
    ticks: overrun,
  };
}

/** Where the kernel's time ends it counts no further; seconds that it refuses stay a time that it refuses. */
function nanoseconds(time: bigint): bigint {
  if (time <= NANOSECONDS.max) return time;
  return time / NSEC_PER_SEC <= NANOSECONDS.max ? NANOSECONDS.max : 2n ** 64n - 1n;
}
