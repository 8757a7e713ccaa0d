/** Interval timers, POSIX timers and the arming of timerfds: what falls due after the restore; tasks/ captures them. */

import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import type { Timer } from "../../../model/timer.js";
import { type LockStep, leaseSteps } from "../locks/plan.js";
import { type Image, liveProcesses } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";

/** Starts what falls due: last, since what is left counts from now on. */
export type DeadlineStep =
  | (StepBase & { readonly kind: "arm timerfd"; readonly objref: number })
  | (StepBase & { readonly kind: "watch paths"; readonly objref: number })
  | (StepBase & { readonly kind: "arm timers" });

/** Timers of timer_create(2). */
export function posixTimers(timers: readonly Timer[]): readonly Timer[] {
  return timers.filter(({ kind }) => kind === "posix");
}

export function deadlineSteps(image: Image): (LockStep | DeadlineStep)[] {
  const armed = new Set<number>();
  // What crimg itself does with files is nothing to be told of.
  const steps: (LockStep | DeadlineStep)[] = [...leaseSteps(image), ...inotifySteps(image)];
  for (const { process, objects } of liveProcesses(image)) {
    for (const { fd, objref } of image.table(objects.files_objref)) {
      if (image.files.get(objref)?.record.f_type !== FILE_TYPE.timerfd || armed.has(objref)) continue;
      armed.add(objref);
      steps.push({ kind: "arm timerfd", task: process.ids.pid, objref, what: `arm the timerfd ${fd}` });
    }
    steps.push({ kind: "arm timers", task: process.ids.pid, what: "arm its interval and POSIX timers" });
  }
  return steps;
}

function inotifySteps(image: Image): DeadlineStep[] {
  const found = new Map<number, DeadlineStep>();
  for (const { process, objects } of liveProcesses(image))
    for (const { fd, objref } of image.table(objects.files_objref))
      if (image.files.get(objref)?.record.f_type === FILE_TYPE.inotify)
        found.set(objref, {
          kind: "watch paths",
          task: process.ids.pid,
          objref,
          what: `add the watches of the inotify instance ${fd}`,
        });
  return [...found.values()];
}
