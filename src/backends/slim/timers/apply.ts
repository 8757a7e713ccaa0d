import { EINVAL } from "../../../linux/errno.js";
import { PR_TIMER_CREATE_RESTORE_IDS } from "../../../linux/prctl.js";
import {
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  NSEC_PER_USEC,
  SIGEV_NONE,
} from "../../../linux/time.js";
import { INTERVAL_TIMERS, isIntervalTimer } from "../../../model/timer.js";
import { armTimerFd } from "../files/event-files.js";
import { watchPaths } from "../files/inotify.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { withRightsOf } from "../sys/file-user.js";
import { stillLeft, timeBytes } from "../sys/time.js";
import type { ImageProcess } from "../tasks/image.js";
import { type DeadlineStep, posixTimers } from "./plan.js";

export const DEADLINES: Appliers<DeadlineStep> = {
  "arm timerfd": ({ image, files, used }, { objref }) =>
    armTimerFd(image.reader, files.file(objref), files.get(objref), used),
  "watch paths": ({ image, files }, { objref }) =>
    withRightsOf(files.user, () => watchPaths(image.reader, files.file(objref), files.get(objref))),
  "arm timers"(context, { task }) {
    const { remote, process } = context.task(task);
    armTimers(remote, process, context.used);
  },
};

const SIGEVENT_BYTES = 64;

/**
 * Arms the timers of a process with what they had left, those of real time less `used`, in ns; nothing runs yet, so this
 * comes last of all.
 */
function armTimers(remote: RemoteTask, { timers }: ImageProcess, used: bigint): void {
  for (const { kind, id = 0, clock = 0, left, interval } of timers)
    if (isIntervalTimer(kind)) {
      const value = kind === "real" ? stillLeft(left, used) : left;
      if (value === 0n && interval === 0n) continue;
      const times = remote.put(timeBytes(interval, value, NSEC_PER_USEC));
      remote.call("arm an interval timer", SYS.setitimer, INTERVAL_TIMERS.indexOf(kind), times, 0);
    } else if (left > 0n) {
      const times = remote.put(timeBytes(interval, countsWork(clock) ? left : stillLeft(left, used), 1n));
      remote.call("arm a POSIX timer", SYS.timer_settime, id, 0, times, 0);
    }
}

/** Clocks of processor time, clock_gettime(2): those of processes and threads have negative numbers. */
function countsWork(clock: number): boolean {
  return clock < 0 || clock === CLOCK_PROCESS_CPUTIME_ID || clock === CLOCK_THREAD_CPUTIME_ID;
}

/** Makes the POSIX timers of a process under their ids. Threads that are told of them must be there. */
export function createTimers(remote: RemoteTask, { timers }: ImageProcess): void {
  const own = posixTimers(timers);
  if (own.length === 0) return;
  const chooses = remote.attempt(SYS.prctl, PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0) !== -EINVAL;
  for (const { id = 0, clock = 0, notice } of own) {
    const { how = 0, signal = 0, value = 0n, thread = 0 } = notice ?? {};
    const event = Buffer.alloc(SIGEVENT_BYTES);
    event.writeBigUInt64LE(value, 0);
    event.writeInt32LE(how === SIGEV_NONE ? 0 : signal, 8);
    event.writeInt32LE(how, 12);
    event.writeInt32LE(thread, 16);
    createTimer(remote, clock, event, id, chooses);
  }
  if (chooses) remote.call("stop choosing timer ids", SYS.prctl, PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0);
}

/** Kernels before 6.16 count the ids up: those in between are made and deleted. */
function createTimer(remote: RemoteTask, clock: number, event: Buffer, id: number, chooses: boolean): void {
  const word = Buffer.alloc(4);
  for (;;) {
    word.writeInt32LE(id);
    const eventAt = remote.put(event);
    const idAt = remote.put(word, event.length);
    remote.call("make a POSIX timer", SYS.timer_create, clock, eventAt, idAt);
    const given = remote.tracee.read(idAt, 4).readInt32LE();
    if (given === id) return;
    remote.call("delete a POSIX timer", SYS.timer_delete, given);
    if (chooses || given > id) throw new Error(`the kernel gave a timer the id ${given} instead of ${id}`);
  }
}
