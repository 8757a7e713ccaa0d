import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EXIT_ZOMBIE, TASK_COMM_LEN, TASK_DEAD } from "../../../linux/sched.js";
import { NSIG } from "../../../linux/signals.js";
import type { Rule } from "../finding.js";
import { recordsByKind, type StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { AGAIN, hex, recordRule } from "./record-rule.js";

/** PF_FORKNOEXEC and PF_SUPERPRIV. */
const FLAGS = 3;
const NO_SIGNAL = 0xffff_ffff;
const SIGNED_64 = 1n << 63n;
const MAX_FUNCTION = 7n;
const POLL = 6n;

/** Rules about TASK and RESTART_BLOCK. */
export const taskRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.TASK,
    {
      id: "TASK_FLAGS",
      level: "error",
      about: "The flags of a task are 1, it has not executed a program yet, and 2, it used privileges.",
      mend: AGAIN,
    },
    function* ({ flags = 0 }) {
      if ((flags & ~FLAGS) !== 0)
        yield {
          field: "flags",
          right: flags & FLAGS,
          what: "unknown flags",
          expected: `within ${FLAGS}`,
          found: hex(flags),
        };
    },
  ),
  recordRule(
    RECORDS.TASK,
    {
      id: "TASK_ZOMBIE",
      level: "error",
      about:
        "A zombie has state 64 and exit_state 16 and no addresses; another task has exit_state 0 and no exit code.",
      mend: AGAIN,
    },
    function* ({ state, exit_state, exit_code, set_child_tid, clear_child_tid }) {
      const isDead = exit_state !== 0;
      if (isDead && exit_state !== EXIT_ZOMBIE)
        yield {
          field: "exit_state",
          what: "neither alive nor a zombie",
          expected: `0 or ${EXIT_ZOMBIE}`,
          found: String(exit_state),
        };
      else if (isDead !== (state === TASK_DEAD))
        yield {
          field: "state",
          what: isDead ? "a zombie in the state of a live task" : "a live task in the state of a dead one",
          expected: isDead ? String(TASK_DEAD) : "another",
          found: String(state),
        };
      if (!isDead && exit_code !== 0)
        yield {
          field: "exit_code",
          right: 0,
          what: "a live task with an exit code",
          expected: "0",
          found: hex(exit_code),
        };
      if (isDead && (set_child_tid !== 0n || clear_child_tid !== 0n))
        yield { field: "set_child_tid", what: "a zombie with addresses in its memory", expected: "0" };
    },
  ),
  recordRule(
    RECORDS.TASK,
    {
      id: "TASK_EXIT_CODE",
      level: "error",
      about: "The exit code of a zombie is an exit status in its second byte, or a signal in its first.",
      mend: AGAIN,
    },
    function* ({ exit_state, exit_code }) {
      if (exit_state === 0) return;
      const low = exit_code & 0xff;
      if (exit_code >= 0x10000 || (low !== 0 && (exit_code !== low || low > NSIG)))
        yield {
          field: "exit_code",
          what: "no exit code",
          expected: "status << 8, or a signal",
          found: hex(exit_code),
        };
    },
  ),
  {
    id: "TASK_EXIT_SIGNAL",
    level: "error",
    about:
      "The signal at the end of a process is from 0 to 64, 0 for a zombie; a thread that does not lead has all ones.",
    mend: AGAIN,
    *check(context) {
      const ids = context.share(storedTasks)?.tasks;
      const records = context.share(recordsByKind).get(RECORDS.TASK) ?? [];
      for (const [i, index] of records.entries()) {
        const task = context.valueAt(index, RECORDS.TASK);
        const own = ids?.[i];
        if (task === undefined || own === undefined) continue;
        const { exit_signal: signal, exit_state } = task;
        const isThread = own.vpid !== own.vtgid;
        const isRight =
          exit_state !== 0
            ? signal === 0 || (isThread && signal === NO_SIGNAL)
            : isThread
              ? signal === NO_SIGNAL
              : signal <= NSIG;
        if (!isRight)
          yield {
            at: context.at(index, { field: "exit_signal" }),
            what: "no signal that such a task ends with",
            expected: exit_state !== 0 ? "0" : isThread ? hex(NO_SIGNAL) : `0 to ${NSIG}`,
            found: signal === NO_SIGNAL ? hex(signal) : String(signal),
          };
      }
    },
  },
  recordRule(
    RECORDS.TASK,
    {
      id: "TASK_NAME",
      level: "error",
      about: "The name of a task has 16 bytes with a NUL.",
      mend: AGAIN,
    },
    function* (_, index, { stream }) {
      if (stream.kind(index + 1) !== RECORDS.STRING) return;
      const { size } = stream.payload(index + 1);
      if (size !== TASK_COMM_LEN)
        yield { what: "a name of another size", expected: `${TASK_COMM_LEN} bytes`, found: `${size} bytes` };
    },
  ),
  recordRule(
    RECORDS.RESTART_BLOCK,
    {
      id: "RESTART_FUNCTION",
      level: "error",
      about:
        "The call that a task slept in is one of 1 to 7; poll says with 0 or 1 whether it has a time limit.",
      mend: AGAIN,
    },
    function* ({ function_type, arg_2 }) {
      if (function_type < 1n || function_type > MAX_FUNCTION)
        yield {
          field: "function_type",
          what: "no call that goes on after a restart",
          expected: `1 to ${MAX_FUNCTION}`,
          found: String(function_type),
        };
      else if (function_type === POLL && arg_2 > 1n)
        yield {
          field: "arg_2",
          what: "neither with nor without a time limit",
          expected: "0 or 1",
          found: String(arg_2),
        };
    },
  ),
  recordRule(
    RECORDS.RESTART_BLOCK,
    {
      id: "RESTART_TIME",
      level: "error",
      about: "The time that a sleeping call has left is not negative.",
      mend: "crimg edit --expiry sleep==0s, poll==0s or futex==0s lets it end at once.",
    },
    function* ({ function_type, arg_4 }) {
      if (arg_4 >= SIGNED_64)
        yield {
          field: "arg_4",
          right: 0,
          what: "a negative time",
          expected: "0 or more nanoseconds",
          found: String(BigInt.asIntN(64, arg_4)),
        };
      else if (function_type === 1n && arg_4 !== 0n)
        yield {
          field: "arg_4",
          right: 0,
          what: "a time without a call",
          expected: "0",
          found: String(arg_4),
          level: "warning",
        };
    },
  ),
];
