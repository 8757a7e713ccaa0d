import { NSIG, SIGKILL, SIGSTOP } from "../linux/signals.js";
import type { Origin } from "./origin.js";

/** What a task does with signals, sigaction(2). */
export interface SignalState {
  readonly actions: readonly SignalAction[];
  /** Signals pending for the whole task. */
  readonly pending: readonly PendingSignal[];
}

export interface SignalAction {
  readonly signal: number;
  /** Address of the handler, 0 for SIG_DFL, 1 for SIG_IGN. */
  readonly handler: bigint;
  readonly flags: bigint;
  readonly mask: bigint;
  /** Address that the handler returns to. */
  readonly restorer: bigint;
}

export interface PendingSignal {
  readonly signal: number;
  readonly code: number;
  /** As the family stores it. */
  readonly siginfo: Buffer;
  readonly origin: Origin;
}

/** The signals that have an action, ascending: all but SIGKILL and SIGSTOP. */
export const CATCHABLE: readonly number[] = Array.from({ length: NSIG }, (_, i) => i + 1).filter(
  (signal) => signal !== SIGKILL && signal !== SIGSTOP,
);
