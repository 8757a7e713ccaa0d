import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TaskCoreEntry } from "../../formats/criu/tables/core.js";
import type {
  ItimerEntry,
  PosixTimerEntry,
  TaskTimersEntry,
  TimerfdEntry,
} from "../../formats/criu/tables/timer.js";
import { MAX_TASK_TIMERS } from "../../io/limits.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../linux/time.js";
import type { Origin } from "../origin.js";
import {
  INTERVAL_TIMERS,
  type IntervalTimerKind,
  isIntervalTimer,
  PLAIN_TIMER,
  type Timer,
} from "../timer.js";
import { taskEntries } from "./task-entries.js";

/** Where task_timers_entry keeps each timer of setitimer(2). */
const ITIMER_FIELDS = {
  real: "real",
  virtual: "virt",
  prof: "prof",
} as const satisfies Readonly<Record<IntervalTimerKind, keyof TaskTimersEntry>>;

/** The timers of setitimer(2); sets before criu 1.3 keep them in itimers-PID.img, in the order of their numbers. */
export function decodeIntervalTimers(
  set: CriuImageSet,
  pid: number,
  core: TaskCoreEntry | undefined,
): Timer[] {
  const { timers } = core ?? {};
  if (timers !== undefined)
    return INTERVAL_TIMERS.map((kind) => {
      const member = ITIMER_FIELDS[kind];
      const origin = { image: `core-${pid}.img`, record: 0, field: `tc.timers.${member}` };
      return decodeItimer(kind, timers[member], origin);
    });
  return set
    .records(IMAGES.ITIMERS, pid)
    .slice(0, INTERVAL_TIMERS.length)
    .map(({ value, index }) =>
      decodeItimer(INTERVAL_TIMERS[index] as IntervalTimerKind, value, {
        image: `itimers-${pid}.img`,
        record: index,
      }),
    );
}

/** The timers of timer_create(2); sets before criu 1.3 keep them in posix-timers-PID.img. */
export function decodePosixTimers(set: CriuImageSet, pid: number, core: TaskCoreEntry | undefined): Timer[] {
  if (core?.timers !== undefined)
    return taskEntries(set, pid, "POSIX timers", core.timers.posix, MAX_TASK_TIMERS).map((timer, i) =>
      decodePosixTimer(timer, { image: `core-${pid}.img`, record: 0, field: `tc.timers.posix[${i}]` }),
    );
  return set
    .records(IMAGES.POSIX_TIMERS, pid)
    .map(({ value, index }) => decodePosixTimer(value, { image: `posix-timers-${pid}.img`, record: index }));
}

/** The timer of an open file of timerfd_create(2). */
export function decodeTimerfd(entry: TimerfdEntry, origin: Origin): Timer {
  return {
    ...PLAIN_TIMER,
    ...decodeTimes(entry, entry.vnsec, entry.insec, 1n),
    kind: "timerfd",
    id: entry.id,
    clock: entry.clockid,
    overrun: entry.ticks,
    settimeFlags: entry.settime_flags,
    origin,
  };
}

function decodeItimer(kind: IntervalTimerKind, entry: ItimerEntry, origin: Origin): Timer {
  const times = decodeTimes(entry, entry.vusec, entry.iusec, NSEC_PER_USEC);
  return { ...PLAIN_TIMER, ...times, kind, origin };
}

function decodePosixTimer(entry: PosixTimerEntry, origin: Origin): Timer {
  return {
    ...PLAIN_TIMER,
    ...decodeTimes(entry, entry.vnsec, entry.insec, 1n),
    kind: "posix",
    id: entry.it_id,
    clock: entry.clock_id | 0,
    overrun: BigInt(entry.overrun),
    notice: {
      how: entry.it_sigev_notify,
      signal: entry.si_signo,
      value: entry.sival_ptr,
      thread: entry.notify_thread_id,
    },
    origin,
  };
}

/** Seconds, and fractions of them in `unit` nanoseconds. */
function decodeTimes(
  { vsec, isec }: { readonly vsec: bigint; readonly isec: bigint },
  left: bigint,
  interval: bigint,
  unit: bigint,
): Pick<Timer, "left" | "interval" | "isRegular"> {
  return {
    left: vsec * NSEC_PER_SEC + left * unit,
    interval: isec * NSEC_PER_SEC + interval * unit,
    isRegular: left * unit < NSEC_PER_SEC && interval * unit < NSEC_PER_SEC,
  };
}

/** The timers of a process in its core image. */
export function encodeTaskTimers(timers: readonly Timer[]): TaskTimersEntry {
  const intervalTimer = (wanted: IntervalTimerKind): ItimerEntry =>
    encodeItimer(timers.find(({ kind }) => kind === wanted) ?? { left: 0n, interval: 0n });
  return {
    real: intervalTimer("real"),
    virt: intervalTimer("virtual"),
    prof: intervalTimer("prof"),
    posix: timers.filter(({ kind }) => kind === "posix").map(encodePosixTimer),
  };
}

/** The entry of a timer, what is left first; undefined for an interrupted call, of which criu stores nothing. */
export function encodeTimer(
  timer: Timer,
): ItimerEntry | PosixTimerEntry | ReturnType<typeof encodeTimerfd> | undefined {
  if (isIntervalTimer(timer.kind)) return encodeItimer(timer);
  if (timer.kind === "posix") return encodePosixTimer(timer);
  return timer.kind === "timerfd" ? encodeTimerfd(timer) : undefined;
}

/** In whole microseconds; a timer that runs keeps at least one. */
function encodeItimer({ left, interval }: Pick<Timer, "left" | "interval">): ItimerEntry {
  const value = left > 0n && left < NSEC_PER_USEC ? NSEC_PER_USEC : left;
  return {
    vsec: value / NSEC_PER_SEC,
    vusec: (value % NSEC_PER_SEC) / NSEC_PER_USEC,
    isec: interval / NSEC_PER_SEC,
    iusec: (interval % NSEC_PER_SEC) / NSEC_PER_USEC,
  };
}

function encodePosixTimer({ id = 0, clock = 0, overrun, notice, ...times }: Timer): PosixTimerEntry {
  return {
    ...encodeTimes(times),
    it_id: id,
    clock_id: clock >>> 0,
    si_signo: notice?.signal ?? 0,
    it_sigev_notify: notice?.how ?? 0,
    sival_ptr: notice?.value ?? 0n,
    overrun: Number(overrun),
    ...(notice?.thread === undefined ? {} : { notify_thread_id: notice.thread }),
  };
}

/** What a timerfd_entry says besides the open file. */
export function encodeTimerfd({ clock = 0, overrun, settimeFlags = 0, ...times }: Timer) {
  return { ...encodeTimes(times), clockid: clock, ticks: overrun, settime_flags: settimeFlags };
}

function encodeTimes({ left, interval }: Pick<Timer, "left" | "interval">) {
  return {
    vsec: left / NSEC_PER_SEC,
    vnsec: left % NSEC_PER_SEC,
    isec: interval / NSEC_PER_SEC,
    insec: interval % NSEC_PER_SEC,
  };
}
