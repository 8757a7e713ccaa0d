import type { ItimerEntry, PosixTimerEntry, TaskTimersEntry } from "../../../formats/criu/tables/timer.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../../linux/time.js";
import type { ToCriu } from "./context.js";

/** Interval timers and POSIX timers of a process; times are what is left in both families. */
export function timersOf(context: ToCriu, leader: Part): TaskTimersEntry {
  const { value: signal } = context.reader.get(context.signalOwner(leader), RECORDS.SIGNAL);
  return {
    real: interval(signal.it_real_value, signal.it_real_incr),
    virt: interval(signal.it_virt_value, signal.it_virt_incr),
    prof: interval(signal.it_prof_value, signal.it_prof_incr),
    posix: context.all(leader, RECORDS.POSIX_TIMER).map(({ value }) => posixTimer(value)),
  };
}

/** Both in nanoseconds; a timer that runs keeps at least a microsecond. */
function interval(value: bigint, every: bigint): ItimerEntry {
  const left = value > 0n && value < NSEC_PER_USEC ? NSEC_PER_USEC : value;
  return {
    isec: every / NSEC_PER_SEC,
    iusec: (every % NSEC_PER_SEC) / NSEC_PER_USEC,
    vsec: left / NSEC_PER_SEC,
    vusec: (left % NSEC_PER_SEC) / NSEC_PER_USEC,
  };
}

function posixTimer(timer: RecordValue<typeof RECORDS.POSIX_TIMER>): PosixTimerEntry {
  const { value_ns: value, interval_ns: every } = timer;
  return {
    it_id: timer.timer_id,
    clock_id: timer.clock_id >>> 0,
    si_signo: timer.signo,
    it_sigev_notify: timer.sigev_notify,
    sival_ptr: timer.sigval,
    overrun: timer.overrun,
    isec: every / NSEC_PER_SEC,
    insec: every % NSEC_PER_SEC,
    vsec: value / NSEC_PER_SEC,
    vnsec: value % NSEC_PER_SEC,
    ...(timer.notify_tid === 0 ? {} : { notify_thread_id: timer.notify_tid }),
  };
}
