import { THREAD_ID } from "../../../linux/sched.js";
import { SIGNAL } from "../../../linux/signals.js";
import {
  MICROSECONDS_BELOW_SECOND,
  NANOSECONDS_BELOW_SECOND,
  SECONDS,
  SIGEV_NONE,
  SIGEV_NOTIFY,
  SIGEV_THREAD_ID,
  TIMERFD_CLOCKS,
  timerClocks,
} from "../../../linux/time.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const ITIMER_ENTRY = message("itimer_entry", "An interval timer, setitimer(2).", {
  isec: required(1, "uint64", { doc: "interval, seconds", domain: SECONDS }),
  iusec: required(2, "uint64", {
    doc: "interval, microseconds below a second",
    domain: MICROSECONDS_BELOW_SECOND,
  }),
  vsec: required(3, "uint64", { doc: "time left at the dump, seconds", domain: SECONDS }),
  vusec: required(4, "uint64", {
    doc: "time left at the dump, microseconds below a second",
    domain: MICROSECONDS_BELOW_SECOND,
  }),
});
export type ItimerEntry = Value<typeof ITIMER_ENTRY>;

export const POSIX_TIMER_ENTRY = message("posix_timer_entry", "A POSIX timer, timer_create(2).", {
  it_id: required(1, "uint32", { doc: "id of the timer, kept by a restore" }),
  clock_id: required(2, "uint32", {
    doc: "CLOCK_* number",
    domain: ({ clock_id }) => timerClocks(clock_id as number),
  }),
  si_signo: required(3, "uint32", {
    doc: "signal on expiration",
    domain: ({ it_sigev_notify }) => (it_sigev_notify === SIGEV_NONE ? undefined : SIGNAL),
  }),
  it_sigev_notify: required(4, "uint32", { doc: "SIGEV_* number", domain: SIGEV_NOTIFY }),
  sival_ptr: required(5, "uint64", { doc: "value sent with the signal" }),
  overrun: required(6, "uint32", { doc: "undelivered expirations" }),
  isec: required(7, "uint64", { doc: "interval, seconds", domain: SECONDS }),
  insec: required(8, "uint64", {
    doc: "interval, nanoseconds below a second",
    domain: NANOSECONDS_BELOW_SECOND,
  }),
  vsec: required(9, "uint64", {
    doc: "time left at the dump, seconds; not armed if 0 and vnsec 0",
    domain: SECONDS,
  }),
  vnsec: required(10, "uint64", {
    doc: "time left at the dump, nanoseconds below a second",
    domain: NANOSECONDS_BELOW_SECOND,
  }),
  notify_thread_id: optional(11, "int32", {
    doc: "thread that receives the signal",
    absent: 0,
    domain: ({ it_sigev_notify }) => (it_sigev_notify === SIGEV_THREAD_ID ? THREAD_ID : undefined),
    since: "3.16",
  }),
});
export type PosixTimerEntry = Value<typeof POSIX_TIMER_ENTRY>;

export const TASK_TIMERS_ENTRY = message(
  "task_timers_entry",
  "The timers of a task: three of setitimer(2), and the POSIX timers.",
  {
    real: required(1, ITIMER_ENTRY, { doc: "ITIMER_REAL" }),
    virt: required(2, ITIMER_ENTRY, { doc: "ITIMER_VIRTUAL" }),
    prof: required(3, ITIMER_ENTRY, { doc: "ITIMER_PROF" }),
    posix: repeated(4, POSIX_TIMER_ENTRY),
  },
);
export type TaskTimersEntry = Value<typeof TASK_TIMERS_ENTRY>;

export const TIMERFD_ENTRY = message("timerfd_entry", "A timerfd.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(3, FOWN_ENTRY),
  clockid: required(4, "uint32", { doc: "CLOCK_* number", domain: TIMERFD_CLOCKS }),
  ticks: required(5, "uint64", { doc: "expirations that a read would give" }),
  settime_flags: required(6, "uint32", {
    doc: "flags of timerfd_settime(2); with TFD_TIMER_ABSTIME (1) a restore adds the time left to its clock",
    show: { as: "hex" },
  }),
  vsec: required(7, "uint64", { doc: "time left at the dump, seconds", domain: SECONDS }),
  vnsec: required(8, "uint64", {
    doc: "time left at the dump, nanoseconds below a second",
    domain: NANOSECONDS_BELOW_SECOND,
  }),
  isec: required(9, "uint64", { doc: "interval, seconds", domain: SECONDS }),
  insec: required(10, "uint64", {
    doc: "interval, nanoseconds below a second",
    domain: NANOSECONDS_BELOW_SECOND,
  }),
});
export type TimerfdEntry = Value<typeof TIMERFD_ENTRY>;

export const TIMEVAL = message("timeval", "A time since 1970.", {
  tv_sec: required(1, "uint64"),
  tv_usec: required(2, "uint64", { doc: "0 to 999,999" }),
});
export type Timeval = Value<typeof TIMEVAL>;
