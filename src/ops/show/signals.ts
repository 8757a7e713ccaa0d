import { enumName, flagNames } from "../../io/enums.js";
import { hex } from "../../io/hex.js";
import { SIG_IGN, SIGACTION_FLAGS, SIGNAL_CODES, signalName, signalsIn } from "../../linux/signals.js";
import type { Task, Thread } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import type { PendingSignal, SignalAction } from "../../model/signals.js";
import { type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface SignalsView extends ViewHead<"signals"> {
  readonly tasks: readonly TaskSignals[];
}

export interface TaskSignals extends TaskName {
  /** Only non-default actions. */
  readonly actions: readonly ShownAction[];
  /** Pending for the whole task. */
  readonly pending: readonly ShownPending[];
  /** The leader first. */
  readonly threads: readonly ThreadSignals[];
}

export interface ShownAction {
  readonly signal: number;
  readonly name: string;
  readonly action: "ignore" | "handle" | "default";
  /** Address of the handler. */
  readonly handler?: string | undefined;
  readonly flags: readonly string[];
  /** Signals that are blocked while the handler runs. */
  readonly mask: readonly string[];
}

export interface ThreadSignals {
  readonly tid: number;
  readonly blocked: readonly string[];
  readonly pending: readonly ShownPending[];
}

export interface ShownPending {
  readonly signal: number;
  readonly name: string;
  /** `SI_USER`, `SI_KERNEL` …, or the signal's own number. */
  readonly code: string;
  /** Pid of the sender, if the code has one. */
  readonly sender?: number | undefined;
}

/** Signal actions, blocked signals and pending signals of each task. */
export function signalsView({ checkpoint }: Document, options: ShowOptions = {}): SignalsView {
  return { ...viewHead("signals"), tasks: chosenTasks(checkpoint, options).map(taskSignals) };
}

function taskSignals(task: Task): TaskSignals {
  const { actions, pending } = task.signals;
  return {
    ...taskName(task),
    actions: actions.filter(isSet).map(shownAction),
    pending: pending.map(shownPending),
    threads: task.threads.map(threadSignals),
  };
}

function isSet({ handler, flags, mask }: SignalAction): boolean {
  return handler !== 0n || flags !== 0n || mask !== 0n;
}

function shownAction({ signal, handler, flags, mask }: SignalAction): ShownAction {
  const action = handler === 0n ? "default" : handler === SIG_IGN ? "ignore" : "handle";
  return {
    ...{ signal, name: signalName(signal), action },
    handler: action === "handle" ? hex(handler) : undefined,
    flags: flagNames(SIGACTION_FLAGS, flags),
    mask: signalsIn(mask),
  };
}

function threadSignals({ tid, blocked, pending }: Thread): ThreadSignals {
  return { tid, blocked: signalsIn(blocked), pending: pending.map(shownPending) };
}

/** Offset of si_pid in siginfo_t of a 64-bit task, and the codes that set it, sigaction(2). */
const SENDER_OFFSET = 16;
const SENT_BY_TASK: readonly number[] = [0, -1, -6];

function shownPending({ signal, code, siginfo }: PendingSignal): ShownPending {
  const hasSender = SENT_BY_TASK.includes(code) && siginfo.length >= SENDER_OFFSET + 4;
  return {
    ...{ signal, name: signalName(signal), code: enumName(SIGNAL_CODES, code) },
    sender: hasSender ? siginfo.readInt32LE(SENDER_OFFSET) : undefined,
  };
}
