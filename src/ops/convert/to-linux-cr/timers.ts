import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import { decodeIntervalTimers, decodePosixTimers, decodeTimerfds } from "../../../model/criu/timers.js";
import { encodeIntervalTimer, encodePosixTimer, encodeTimerfd } from "../../../model/linux-cr/timers.js";
import type { Timer } from "../../../model/timer.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";

/** The fields of SIGNAL for the timers of setitimer(2). */
export function intervalTimers(context: Context, { task, label, process }: LiveThread): object {
  const timers = decodeIntervalTimers(context.set, process.pid, task);
  return Object.assign({}, ...told(context, label, timers).map(encodeIntervalTimer));
}

/** POSIX_TIMERs behind the leader of a process. */
export function writePosixTimers(context: Context, { task, label, process }: LiveThread): void {
  for (const timer of told(context, label, decodePosixTimers(context.set, process.pid, task)))
    context.writer.record(RECORDS.POSIX_TIMER, encodePosixTimer(timer));
}

/** TIMERFD behind a FILE. */
export function writeTimer(context: Context, file: OpenFile): void {
  for (const timer of told(context, `open file ${file.id} (${file.label})`, decodeTimerfds([file])))
    context.writer.record(RECORDS.TIMERFD, encodeTimerfd(timer));
}

/** A stream has one number for a time, in which a part that the kernel refuses does not show. */
function told({ losses }: Context, label: string, timers: readonly Timer[]): readonly Timer[] {
  for (const { kind, isRegular } of timers)
    if (!isRegular)
      losses.add(
        label,
        `that a ${kind} timer has parts of a second that make a second or more`,
        "a stream holds nanoseconds",
      );
  return timers;
}
