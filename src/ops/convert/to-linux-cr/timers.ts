import { RECORDS } from "../../../formats/linux-cr/records.js";
import { decodeIntervalTimers, decodePosixTimers } from "../../../model/criu/timers.js";
import { encodeIntervalTimers, encodePosixTimer } from "../../../model/linux-cr/timers.js";
import type { Timer } from "../../../model/timer.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";

/** The fields of SIGNAL for the timers of setitimer(2). */
export function intervalTimers(context: Context, { task, label, process }: LiveThread): object {
  const timers = decodeIntervalTimers(context.set, process.pid, task);
  return encodeIntervalTimers(told(context, label, timers));
}

/** POSIX_TIMERs behind the leader of a process. */
export function writePosixTimers(context: Context, { task, label, process }: LiveThread): void {
  for (const timer of told(context, label, decodePosixTimers(context.set, process.pid, task)))
    context.writer.record(RECORDS.POSIX_TIMER, encodePosixTimer(timer));
}

/** The timers; that a part of one's time is no such part is a loss, since a stream has one number for a time. */
export function told({ losses }: Context, label: string, timers: readonly Timer[]): readonly Timer[] {
  for (const { kind, isRegular } of timers)
    if (!isRegular)
      losses.add(
        label,
        `that a ${kind} timer has parts of a second that make a second or more`,
        "a stream holds nanoseconds",
      );
  return timers;
}
