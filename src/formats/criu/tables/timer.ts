import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";

export const ITIMER_ENTRY = message("itimer_entry", "", {
  isec: required(1, "uint64"),
  iusec: required(2, "uint64"),
  vsec: required(3, "uint64"),
  vusec: required(4, "uint64"),
});
export type ItimerEntry = Value<typeof ITIMER_ENTRY>;

export const POSIX_TIMER_ENTRY = message("posix_timer_entry", "", {
  it_id: required(1, "uint32"),
  clock_id: required(2, "uint32"),
  si_signo: required(3, "uint32"),
  it_sigev_notify: required(4, "uint32"),
  sival_ptr: required(5, "uint64"),
  overrun: required(6, "uint32"),
  isec: required(7, "uint64"),
  insec: required(8, "uint64"),
  vsec: required(9, "uint64"),
  vnsec: required(10, "uint64"),
  notify_thread_id: optional(11, "int32", { since: "3.16" }),
});
export type PosixTimerEntry = Value<typeof POSIX_TIMER_ENTRY>;

export const TASK_TIMERS_ENTRY = message("task_timers_entry", "", {
  real: required(1, ITIMER_ENTRY),
  virt: required(2, ITIMER_ENTRY),
  prof: required(3, ITIMER_ENTRY),
  posix: repeated(4, POSIX_TIMER_ENTRY),
});
export type TaskTimersEntry = Value<typeof TASK_TIMERS_ENTRY>;

export const TIMERFD_ENTRY = message("timerfd_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32", { show: { as: "hex" } }),
  fown: required(3, FOWN_ENTRY),
  clockid: required(4, "uint32"),
  ticks: required(5, "uint64"),
  settime_flags: required(6, "uint32", { show: { as: "hex" } }),
  vsec: required(7, "uint64"),
  vnsec: required(8, "uint64"),
  isec: required(9, "uint64"),
  insec: required(10, "uint64"),
});
export type TimerfdEntry = Value<typeof TIMERFD_ENTRY>;

export const TIMEVAL = message("timeval", "", {
  tv_sec: required(1, "uint64"),
  tv_usec: required(2, "uint64"),
});
export type Timeval = Value<typeof TIMEVAL>;
