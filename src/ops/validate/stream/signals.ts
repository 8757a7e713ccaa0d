import { RECORDS } from "../../../formats/linux-cr/records.js";
import { isSince } from "../../../formats/linux-cr/revisions.js";
import { SIGACTION, SIGINFO, SIGINFO_0ABE2FE } from "../../../formats/linux-cr/tables/signals.js";
import { NSIG } from "../../../linux/signals.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { AGAIN, recordRule, SET_FIELD } from "./record-rule.js";

const MAX_ERRNO = 4096;

/** Rules about how handlers and queued signals are stored, and controlling terminals. */
export const signalRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.SIGHAND,
    {
      id: "SIGNAL_ACTIONS",
      level: "error",
      about: "SIGHAND says for each of the 64 signals what is done with it.",
      fix: AGAIN,
    },
    function* (_, index, { stream }) {
      const { size } = stream.payload(index);
      if (size !== NSIG * SIGACTION.size)
        yield {
          what: "another number of signals",
          expected: `${NSIG * SIGACTION.size} bytes`,
          found: `${size} bytes`,
        };
    },
  ),
  recordRule(
    RECORDS.SIGPENDING,
    {
      id: "SIGPENDING_LENGTH",
      level: "error",
      about: "SIGPENDING holds as many signals as it says, each with an errno below 4096.",
      fix: SET_FIELD,
    },
    function* ({ nr_pending: count }, index, { stream }) {
      const isNew = isSince(stream.dialect.commit, "f0fdd38");
      const each = isNew ? SIGINFO.size : SIGINFO_0ABE2FE.size;
      const { size } = stream.payload(index);
      if (size !== count * each) {
        yield {
          field: "nr_pending",
          ...(size % each === 0 ? { right: size / each } : { fix: AGAIN }),
          what: "another number of signals",
          expected: `${count * each} bytes`,
          found: `${size} bytes`,
        };
        return;
      }
      const errors = isNew
        ? stream.structs(index, SIGINFO).map(({ csi_errno }) => csi_errno)
        : stream.structs(index, SIGINFO_0ABE2FE).map(({ _errno }) => _errno | 0);
      for (const [i, errno] of errors.entries()) {
        if (Math.abs(errno) >= MAX_ERRNO)
          yield {
            field: `siginfo[${i}]`,
            what: "no errno",
            expected: `below ${MAX_ERRNO}`,
            found: String(errno),
          };
      }
    },
  ),
  {
    id: "SIGNAL_TERMINAL",
    level: "error",
    about: "Only the leader of a session has its controlling terminal.",
    fix: "crimg edit --set [RECORD].tty_objref=0 takes the terminal away.",
    *check(context) {
      const ids = context.share(storedTasks)?.tasks ?? [];
      for (const [i, task] of context.tree.tasks.entries()) {
        const found = context.reader.find(task, RECORDS.SIGNAL);
        const own = ids[i];
        if (found === undefined || own === undefined || found.value.tty_objref === 0) continue;
        if (own.vsid !== own.vtgid)
          yield {
            at: context.at(found.index, { field: "tty_objref" }),
            what: "a controlling terminal of a task that leads no session",
            expected: "0",
            found: String(found.value.tty_objref),
          };
      }
    },
  },
];
