/** Units of time, include/vdso/time64.h. Times of images and of the model are bigint nanoseconds. */
export const NSEC_PER_SEC = 1_000_000_000n;
export const NSEC_PER_MSEC = 1_000_000n;
export const NSEC_PER_USEC = 1_000n;
export const USEC_PER_SEC = 1_000_000n;

/** Clocks of clock_gettime(2), include/uapi/linux/time.h. */
export const CLOCKS = enumTable("clock", {
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  CLOCK_PROCESS_CPUTIME_ID: 2,
  CLOCK_THREAD_CPUTIME_ID: 3,
  CLOCK_MONOTONIC_RAW: 4,
  CLOCK_REALTIME_COARSE: 5,
  CLOCK_MONOTONIC_COARSE: 6,
  CLOCK_BOOTTIME: 7,
  CLOCK_REALTIME_ALARM: 8,
  CLOCK_BOOTTIME_ALARM: 9,
  CLOCK_TAI: 11,
});
