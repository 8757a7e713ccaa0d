import { enumName } from "../../io/enums.js";
import { signalName } from "../../linux/signals.js";
import { CLOCKS } from "../../linux/time.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { taskTimers } from "../../model/task-timers.js";
import { isArmed, isIntervalTimer, type Timer, type TimerKind } from "../../model/timer.js";
import { type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface TimersView extends ViewHead<"timers"> {
  readonly timers: readonly ShownTimer[];
}

/** Times in nanoseconds, relative to the checkpoint. */
export interface ShownTimer extends TaskName {
  readonly kind: TimerKind;
  /** POSIX timer id, the id of the timerfd's open file, or the thread of the interrupted call. */
  readonly id?: number | undefined;
  readonly clock?: string | undefined;
  readonly armed: boolean;
  readonly left: bigint;
  /** 0 for a one-shot timer. */
  readonly interval: bigint;
  readonly signal?: string | undefined;
  /** Expirations not delivered, or not read from a timerfd. */
  readonly missed: bigint;
}

/** Armed interval timers, POSIX timers, timerfds and timeouts of interrupted calls, with the time left. */
export function timersView({ checkpoint }: Document, options: ShowOptions = {}): TimersView {
  const timers: ShownTimer[] = [];
  for (const [task, all] of taskTimers(chosenTasks(checkpoint, options)))
    for (const timer of all) if (exists(timer)) timers.push({ ...taskName(task), ...shownTimer(timer) });
  return { ...viewHead("timers"), timers };
}

/** The three interval timers of setitimer(2) are stored for every task, armed or not. */
function exists(timer: Timer): boolean {
  return !isIntervalTimer(timer.kind) || isArmed(timer);
}

function shownTimer(timer: Timer): Omit<ShownTimer, keyof TaskName> {
  const { kind, id, clock, left, interval, notice, overrun } = timer;
  return {
    ...{ kind, id, clock: clock === undefined ? undefined : enumName(CLOCKS, clock) },
    ...{ armed: isArmed(timer), left, interval },
    signal: notice?.signal ? signalName(notice.signal) : undefined,
    missed: overrun,
  };
}
