import { enumName } from "../../io/enums.js";
import { signalName } from "../../linux/signals.js";
import { CLOCKS } from "../../linux/time.js";
import type { Document } from "../../model/document.js";
import { isArmed, isIntervalTimer, type Timer, type TimerKind } from "../../model/timer.js";
import { chosenTasks, type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface TimersView extends ViewHead<"timers"> {
  readonly timers: readonly ShownTimer[];
}

/** Times in nanoseconds, counted from the checkpoint. */
export interface ShownTimer extends TaskName {
  readonly kind: TimerKind;
  /** POSIX timer id, the id of the timerfd's open file, or the thread that made the interrupted call. */
  readonly id?: number | undefined;
  readonly clock?: string | undefined;
  readonly armed: boolean;
  readonly left: bigint;
  /** 0 for a timer that expires once. */
  readonly interval: bigint;
  readonly signal?: string | undefined;
  /** Expirations that were not delivered, or not read from a timerfd. */
  readonly missed: bigint;
}

/** Interval timers that are set, POSIX timers, timerfds and time limits of interrupted calls, with what was left. */
export function timersView({ checkpoint }: Document, options: ShowOptions = {}): TimersView {
  const timers = chosenTasks(checkpoint, options).flatMap((task) =>
    task.timers.filter(exists).map((timer) => ({ ...taskName(task), ...shownTimer(timer) })),
  );
  return { ...viewHead("timers"), timers };
}

/** The three interval timers of setitimer(2) are stored for every task, set or not. */
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
