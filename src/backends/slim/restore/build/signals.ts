import { setLimits } from "../limits.js";
import type { SignalStep } from "../plan/signals.js";
import { drainSignals, queueSignal, setActions } from "../signals.js";
import { createTimers } from "../timers.js";
import type { Builders } from "./builders.js";

export const SIGNALS: Builders<SignalStep> = {
  timers(work, { task }) {
    const { bench, process } = work.site(task);
    createTimers(bench, process);
  },
  signals(work, { task }) {
    const { bench, process } = work.site(task);
    drainSignals(bench);
    for (const info of process.pending) queueSignal(bench, info, true);
    for (const { tid, pending } of process.threads)
      for (const info of pending) queueSignal(work.bench(task, tid), info, false);
  },
  actions(work, { task }) {
    const { bench, process } = work.site(task);
    setActions(bench, process.actions);
  },
  limits: (work, { task }) => setLimits(work.site(task).process),
};
