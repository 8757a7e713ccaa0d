import { SIGEV_THREAD_ID } from "../../../linux/time.js";
import { readProc } from "./read.js";

/** A POSIX timer of a process by /proc/PID/timers, proc_pid_timers(5): all but its times. */
export interface TimerLine {
  readonly id: number;
  readonly signal: number;
  /** sigev_value. */
  readonly value: bigint;
  /** sigev_notify: 0 signal, 1 none, 2 thread; 4 for a thread of its own by its id. */
  readonly notify: number;
  /** Thread that gets the signal with SIGEV_THREAD_ID, else the process. */
  readonly target: number;
  readonly clock: number;
}

const NOTIFY: Readonly<Record<string, number>> = { signal: 0, none: 1, thread: 2 };

/** Errors: BackendError when the task is gone. */
export function readTimers(pid: number): TimerLine[] {
  return readProc(pid, "timers")
    .split(/^(?=ID:)/m)
    .filter(Boolean)
    .map((text) => {
      const [, id] = /^ID: (\d+)/m.exec(text) ?? [];
      const [, signal, value = "0"] = /^signal: (\d+)\/([0-9a-f]+)/m.exec(text) ?? [];
      const [, how = "", whom = "", target] = /^notify: (\w+)\/(tid|pid)\.(-?\d+)/m.exec(text) ?? [];
      const [, clock] = /^ClockID: (-?\d+)/m.exec(text) ?? [];
      return {
        id: Number(id),
        signal: Number(signal),
        value: BigInt(`0x${value}`),
        notify: (NOTIFY[how] ?? 0) | (whom === "tid" ? SIGEV_THREAD_ID : 0),
        target: Number(target),
        clock: Number(clock),
      };
    });
}
