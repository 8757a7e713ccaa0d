import { BackendError } from "../../../io/errors.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { __WALL, WNOHANG } from "../../../linux/sched.js";
import { SYS } from "../sys/abi-x64.js";
import { addressOf, attempt } from "../sys/syscall.js";

/** Polls without a pause: most stops come within microseconds. */
const EAGER_POLLS = 100;
const MAX_PAUSE_MS = 2;

/** Where wait4(2) puts a status: one place for all polls, whose bytes stand outside of the heap and stay there. */
const statusWord = Buffer.allocUnsafeSlow(PAGE_SIZE);
const statusAddress = addressOf(statusWord);

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** What wait(2) says of a task: it stopped, or it is gone. */
export type Status =
  | {
      readonly kind: "stopped";
      readonly tid: number;
      readonly signal: number;
      /** PTRACE_EVENT_, 0 for none. */
      readonly event: number;
    }
  | {
      readonly kind: "gone";
      readonly tid: number;
      /** As wait(2) gives it. */
      readonly status: number;
    };

/** The state of a child or traced thread, when it has changed; -1 asks for any of them. Never waits. */
export function poll(tid: number): Status | undefined {
  const result = attempt(SYS.wait4, tid, statusAddress, WNOHANG | __WALL, 0);
  if (result <= 0) return undefined;
  const status = statusWord.readInt32LE();
  if ((status & 0xff) !== 0x7f) return { kind: "gone", tid: result, status };
  return { kind: "stopped", tid: result, signal: (status >> 8) & 0xff, event: status >> 16 };
}

/**
 * Waits until `done` gives something, a moment at a time, so that no task can hold crimg for ever.
 * Errors: BackendError after `seconds`, saying what was waited for.
 */
export function waitFor<T>(what: string, seconds: number, done: () => T | undefined): T {
  const deadline = Date.now() + seconds * 1000;
  let pause = 0.05;
  for (let polls = 0; ; polls++) {
    const result = done();
    if (result !== undefined) return result;
    if (polls < EAGER_POLLS) {
      attempt(SYS.sched_yield);
      continue;
    }
    if (Date.now() > deadline) throw new BackendError(`${what}: nothing within ${seconds} s`);
    Atomics.wait(nobody, 0, 0, pause);
    pause = Math.min(pause * 2, MAX_PAUSE_MS);
  }
}
