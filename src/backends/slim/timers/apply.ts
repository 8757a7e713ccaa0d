import { EINVAL } from "../../../linux/errno.js";
import { PR_TIMER_CREATE_RESTORE_IDS } from "../../../linux/prctl.js";
import {
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  NSEC_PER_USEC,
  SIGEV_NONE,
} from "../../../linux/time.js";
import { armTimerFd } from "../files/event-files.js";
import { watchPaths } from "../files/inotify.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { stillLeft, timeBytes } from "../sys/time.js";
import type { ImageProcess } from "../tasks/image.js";
import type { DeadlineStep } from "./plan.js";

export const DEADLINES: Appliers<DeadlineStep> = {
  "arm timerfd": ({ image, files, used }, { objref }) =>
    armTimerFd(image.reader, files.file(objref), files.get(objref), used),
  "watch paths": ({ image, files }, { objref }) =>
    watchPaths(image.reader, files.file(objref), files.get(objref)),
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
function armTimers(remote: RemoteTask, { signal, timers }: ImageProcess, used: bigint): void {
  if (signal !== undefined) {
    const all = [
      [stillLeft(signal.it_real_value, used), signal.it_real_incr],
      [signal.it_virt_value, signal.it_virt_incr],
      [signal.it_prof_value, signal.it_prof_incr],
    ] as const;
    for (const [which, [value, interval]] of all.entries()) {
      if (value === 0n && interval === 0n) continue;
      const times = timeBytes(interval, value, NSEC_PER_USEC);
      remote.call("arm an interval timer", SYS.setitimer, which, remote.put(times), 0);
    }
  }
  for (const { timer_id, clock_id, value_ns, interval_ns } of timers)
    if (value_ns > 0n)
      remote.call(
        "arm a POSIX timer",
        SYS.timer_settime,
        timer_id,
        0,
        remote.put(timeBytes(interval_ns, countsWork(clock_id) ? value_ns : stillLeft(value_ns, used), 1n)),
        0,
      );
}

/** Clocks of processor time, clock_gettime(2): those of processes and threads have negative numbers. */
function countsWork(clock: number): boolean {
  return clock < 0 || clock === CLOCK_PROCESS_CPUTIME_ID || clock === CLOCK_THREAD_CPUTIME_ID;
}

/** Makes the POSIX timers of a process under their ids. Threads that are told of them must be there. */
export function createTimers(remote: RemoteTask, { timers }: ImageProcess): void {
  if (timers.length === 0) return;
  const chooses = remote.attempt(SYS.prctl, PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0) !== -EINVAL;
  for (const timer of timers) {
    const event = Buffer.alloc(SIGEVENT_BYTES);
    event.writeBigUInt64LE(timer.sigval, 0);
    event.writeInt32LE(timer.signo, 8);
    event.writeInt32LE(timer.sigev_notify, 12);
    event.writeInt32LE(timer.notify_tid, 16);
    if (timer.sigev_notify === SIGEV_NONE) event.writeInt32LE(0, 8);
    createTimer(remote, timer.clock_id, event, timer.timer_id, chooses);
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
