import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NO_EXIT_SIGNAL } from "../../../formats/linux-cr/tables/task.js";
import { hex } from "../../../io/hex.js";
import { EXIT_ZOMBIE, TASK_COMM_LEN, TASK_DEAD } from "../../../linux/sched.js";
import { NSIG } from "../../../linux/signals.js";
import type { Rule } from "../finding.js";
import { recordsByKind, type StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { AGAIN, recordRule, SET_FIELD } from "./record-rule.js";

/** Rules about TASK. */
export const taskRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.TASK,
    {
      id: "TASK_ZOMBIE",
      level: "error",
      about:
        "A zombie has state 64 and exit_state 16 and no addresses; another task has exit_state 0 and no exit code.",
      fix: SET_FIELD,
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
  {
    id: "TASK_EXIT_SIGNAL",
    level: "error",
    about:
      "The signal at the end of a process is from 0 to 64, 0 for a zombie; a thread that does not lead has all ones.",
    fix: SET_FIELD,
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
            ? signal === 0 || (isThread && signal === NO_EXIT_SIGNAL)
            : isThread
              ? signal === NO_EXIT_SIGNAL
              : signal <= NSIG;
        if (!isRight)
          yield {
            at: context.at(index, { field: "exit_signal" }),
            what: "no signal that such a task ends with",
            expected: exit_state !== 0 ? "0" : isThread ? hex(NO_EXIT_SIGNAL) : `0 to ${NSIG}`,
            found: signal === NO_EXIT_SIGNAL ? hex(signal) : String(signal),
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
      fix: AGAIN,
    },
    function* (_, index, { stream }) {
      if (stream.kind(index + 1) !== RECORDS.STRING) return;
      const { size } = stream.payload(index + 1);
      if (size !== TASK_COMM_LEN)
        yield { what: "a name of another size", expected: `${TASK_COMM_LEN} bytes`, found: `${size} bytes` };
    },
  ),
];
