import type { ItimerEntry, PosixTimerEntry, TaskTimersEntry } from "../../../formats/criu/tables/timer.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { ToCriu } from "./context.js";

const SECOND = 1_000_000_000n;
const MICROSECOND = 1000n;

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
  const left = value > 0n && value < MICROSECOND ? MICROSECOND : value;
  return {
    isec: every / SECOND,
    iusec: (every % SECOND) / MICROSECOND,
    vsec: left / SECOND,
    vusec: (left % SECOND) / MICROSECOND,
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
    isec: every / SECOND,
    insec: every % SECOND,
    vsec: value / SECOND,
    vnsec: value % SECOND,
    ...(timer.notify_tid === 0 ? {} : { notify_thread_id: timer.notify_tid }),
  };
}
