/** Signal actions, queued signals and resource limits of processes; tasks/ captures them, timers/ has what sends signals later. */

import { type Image, liveProcesses } from "../restore/image.js";
import type { StepBase } from "../restore/step.js";
import { posixTimers } from "../timers/plan.js";

/** What signals do and which are queued; limits, as the queue is one of them. */
export type SignalStep =
  | (StepBase & { readonly kind: "timers" })
  | (StepBase & { readonly kind: "signals" })
  | (StepBase & { readonly kind: "actions" })
  | (StepBase & { readonly kind: "limits" });

export function signalSteps(image: Image): SignalStep[] {
  return liveProcesses(image).flatMap(({ process }): SignalStep[] => {
    const task = process.ids.pid;
    const { pending, threads } = process;
    const timers = posixTimers(process.timers);
    const queued = pending.length + threads.reduce((sum, thread) => sum + thread.pending.length, 0);
    return [
      ...(timers.length === 0
        ? []
        : [{ kind: "timers", task, what: `make ${timers.length} POSIX timers, not armed` } as const]),
      { kind: "signals", task, what: `queue ${queued === 0 ? "no signals" : `${queued} signals`}` },
      { kind: "actions", task, what: "set its signal actions" },
      { kind: "limits", task, what: "set its resource limits" },
    ];
  });
}
