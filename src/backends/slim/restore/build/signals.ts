import { setLimits } from "../limits.js";
import type { SignalStep } from "../plan/signals.js";
import { drainSignals, queueSignal, setActions } from "../signals.js";
import { createTimers } from "../timers.js";
import type { Builders } from "./builders.js";

export const SIGNALS: Builders<SignalStep> = {
  timers(context, { task }) {
    const { remote, process } = context.task(task);
    createTimers(remote, process);
  },
  signals(context, { task }) {
    const { remote, process } = context.task(task);
    drainSignals(remote);
    for (const info of process.pending) queueSignal(remote, info, true);
    for (const { tid, pending } of process.threads)
      for (const info of pending) queueSignal(context.remote(task, tid), info, false);
  },
  actions(context, { task }) {
    const { remote, process } = context.task(task);
    setActions(remote, process.actions);
  },
  limits: (context, { task }) => setLimits(context.task(task).process),
};
