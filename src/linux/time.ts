import { type Domain, range } from "../io/domains.js";
import { enumTable } from "../io/enums.js";

/** Units of time, include/vdso/time64.h; times in images and in the model are bigint nanoseconds. */
export const NSEC_PER_SEC = 1_000_000_000n;
export const NSEC_PER_MSEC = 1_000_000n;
export const NSEC_PER_USEC = 1_000n;
export const USEC_PER_SEC = 1_000_000n;

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
/** Timers of these take CAP_WAKE_ALARM. */
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;

/** Clocks by number, include/uapi/linux/time.h, clock_gettime(2). */
export const CLOCKS = enumTable("clock", {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW: 4,
  CLOCK_REALTIME_COARSE: 5,
  CLOCK_MONOTONIC_COARSE: 6,
  CLOCK_BOOTTIME: 7,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_TAI: 11,
});

/** Clocks of timer_create(2), kernel/time/posix-timers.c: without the raw and coarse ones. */
const TIMER_CLOCKS = enumTable(
  "timer_clock",
  Object.fromEntries([...CLOCKS.values].filter(([name]) => !/_RAW$|_COARSE$/.test(name))),
);

/** Clocks of timerfd_create(2), fs/timerfd.c. */
export const TIMERFD_CLOCKS = enumTable(
  "timerfd_clock",
  Object.fromEntries(
    [...CLOCKS.values].filter(([name]) => /REALTIME$|MONOTONIC$|BOOTTIME$|_ALARM$/.test(name)),
  ),
);

/** Valid clocks of a POSIX timer; any negative one is the CPU clock of a task. */
export function timerClocks(clock: number): Domain | undefined {
  return (clock | 0) < 0 ? undefined : TIMER_CLOCKS;
}

/** Parts of struct timeval and struct timespec, and nanoseconds in signed 64 bits. */
export const SECONDS = range(0, (1n << 63n) - 1n);
export const MICROSECONDS_BELOW_SECOND = range(0, USEC_PER_SEC - 1n);
export const NANOSECONDS_BELOW_SECOND = range(0, NSEC_PER_SEC - 1n);
export const NANOSECONDS = range(0, (1n << 63n) - 1n);

/** Notification of a POSIX timer, include/uapi/asm-generic/siginfo.h, sigevent(3type). */
export const SIGEV_NONE = 1;
export const SIGEV_THREAD_ID = 4;
export const SIGEV_NOTIFY = enumTable("sigev_notify", {
  SIGEV_SIGNAL: 0,
  SIGEV_NONE,
  SIGEV_THREAD: 2,
  SIGEV_THREAD_ID,
});

/** Flags of timerfd_settime(2), include/uapi/linux/timerfd.h, and an ioctl(2) of timerfds. */
export const TFD_TIMER_ABSTIME = 1;
export const TFD_IOC_SET_TICKS = 0x4008_5400;
