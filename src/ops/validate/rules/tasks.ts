import { hex } from "../../../io/hex.js";
import { textToBytes } from "../../../io/text.js";
import { NGROUPS_MAX } from "../../../linux/files.js";
import { TASK_COMM_LEN } from "../../../linux/sched.js";
import { NSIG } from "../../../linux/signals.js";
import { SIGEV_THREAD_ID } from "../../../linux/time.js";
import type { Task, Thread } from "../../../model/checkpoint.js";
import type { ImageContext } from "../context.js";
import type { Found, Rule, RuleFacts } from "../finding.js";

/** In a wait status: the signal had a core dump written. */
const CORE_DUMPED = 0x80;
/** Alignment of struct rseq, rseq(2). */
const RSEQ_ALIGNMENT = 32n;

/** Rules about what tasks and threads have besides memory and files. */
export const taskRules: readonly Rule<ImageContext>[] = [
  {
    id: "TIMER_DUPLICATE",
    level: "error",
    about: "No two POSIX timers of a task have one id.",
    fix: "crimg edit --set gives one of them another id.",
    *check(context) {
      for (const { pid, timers } of context.checkpoint.tasks) {
        const seen = new Set<number | undefined>();
        for (const { kind, id, origin } of timers) {
          if (kind !== "posix") continue;
          if (seen.has(id))
            yield { at: context.placeOf(origin, { pid }), what: `duplicate POSIX timer id ${id}` };
          seen.add(id);
        }
      }
    },
  },
  {
    id: "TIMER_THREAD",
    level: "error",
    about: "A POSIX timer that signals one thread names a thread of its task.",
    fix: "crimg edit --set gives it the id of a thread, or another kind of notice.",
    *check(context) {
      for (const { pid, timers, threads } of context.checkpoint.tasks) {
        let tids: ReadonlySet<number | undefined> | undefined;
        for (const { kind, notice, origin } of timers) {
          if (kind !== "posix" || notice === undefined || (notice.how & SIGEV_THREAD_ID) === 0) continue;
          tids ??= new Set(threads.map(({ tid }) => tid));
          if (!tids.has(notice.thread))
            yield {
              at: context.placeOf(origin, { pid }),
              what: "the timer signals a thread that the task does not have",
              expected: `a thread of task ${pid}`,
              found: String(notice.thread ?? "none"),
            };
        }
      }
    },
  },
  {
    id: "TASK_EXIT_CODE",
    level: "error",
    about:
      "The wait status of a zombie is an exit status in its second byte, or a signal in its first, wait(2).",
    fix: "crimg edit --set gives it another one, 0 for success.",
    *check(context) {
      for (const { pid, exitStatus: status = 0, origin } of context.checkpoint.tasks) {
        const signal = status & 0x7f;
        const isRight =
          signal === 0 ? (status & ~0xff00) === 0 : (status & ~CORE_DUMPED) === signal && signal <= NSIG;
        if (!isRight)
          yield {
            at: context.placeOf(origin, { pid }),
            what: "invalid wait status of a zombie",
            expected: "status << 8, or a signal",
            found: `0x${status.toString(16)}`,
          };
      }
    },
  },
  {
    id: "RLIMIT_RANGE",
    level: "error",
    about: "A soft resource limit is not above the hard one: setrlimit(2) refuses that.",
    fix: "crimg edit --set lowers the soft limit, or raises the hard one.",
    *check(context) {
      for (const { pid, limits } of context.checkpoint.tasks)
        for (const { soft, hard, origin } of limits)
          if (soft > hard)
            yield {
              at: context.placeOf(origin, { pid }),
              what: "invalid soft limit, above the hard one",
              expected: `at most ${hard}`,
              found: String(soft),
              fix: context.setFieldCommand(origin, hard),
            };
    },
  },
  {
    id: "SIGNAL_QUEUE",
    level: "error",
    about: "A pending signal has a number from 1 to 64.",
    fix: "Undo the edit that changed it, or copy the image again: no edit takes a signal away.",
    *check(context) {
      for (const { pid, signals, threads } of context.checkpoint.tasks)
        for (const { pending } of [signals, ...threads])
          for (const { signal, origin } of pending)
            if (signal < 1 || signal > NSIG)
              yield {
                at: context.placeOf(origin, { pid }),
                what: "invalid number of a pending signal",
                expected: `1 to ${NSIG}`,
                found: String(signal),
              };
    },
  },
  {
    id: "TASK_STOP_SIGNAL",
    level: "warning",
    about: "Only a stopped task has a signal that stopped it.",
    fix: "crimg edit --set gives the task its state, or no such signal; restore does not use it.",
    *check(context) {
      for (const { pid, state, attributes, threads } of context.checkpoint.tasks) {
        const { stopSignal } = attributes;
        const [leader] = threads;
        if (stopSignal !== undefined && state !== "stopped" && leader !== undefined)
          yield {
            at: context.placeOf(leader.origin, { pid }),
            what: `stop signal of a task that is ${state}`,
            expected: "none",
            found: String(stopSignal),
          };
      }
    },
  },
  threadRule(
    {
      id: "COMM_LENGTH",
      level: "warning",
      about: "The name of a task or thread has at most 15 bytes.",
      fix: "Restore cuts it off; crimg edit --comm PID=NAME gives a shorter one.",
    },
    function* ({ tid, comm, origin }, { pid }, context) {
      const { length } = textToBytes(comm);
      if (length >= TASK_COMM_LEN)
        yield {
          at: context.placeOf(origin, { pid }),
          what: `the name ${comm} is too long`,
          expected: `at most ${TASK_COMM_LEN - 1} bytes`,
          found: `${length} bytes`,
          fix: context.editCommand("--comm", `${tid}=${comm.slice(0, TASK_COMM_LEN - 1)}`),
        };
    },
  ),
  threadRule(
    {
      id: "CREDS_CAPABILITIES",
      level: "error",
      about:
        "Effective capabilities are permitted, ambient ones permitted and inheritable: the kernel refuses others.",
      fix: "crimg edit --set changes the sets of capabilities.",
    },
    function* ({ credentials }, { pid }, context) {
      if (credentials === undefined) return;
      const { effective, permitted, inheritable, ambient, origin } = credentials;
      const at = context.placeOf(origin, { pid });
      const surplus = effective & ~permitted;
      if (surplus !== 0n)
        yield { at, what: "effective capabilities that are not permitted", found: hex(surplus) };
      const excess = ambient & ~(permitted & inheritable);
      if (excess !== 0n)
        yield {
          at,
          what: "ambient capabilities that are not permitted and inheritable",
          found: hex(excess),
        };
    },
  ),
  threadRule(
    {
      id: "CREDS_GROUPS",
      level: "error",
      about: `A thread has at most ${NGROUPS_MAX} supplementary groups: setgroups(2) refuses more.`,
      fix: "crimg edit --set gives the credentials a shorter list.",
    },
    function* ({ credentials }, { pid }, context) {
      if (credentials !== undefined && credentials.groups.length > NGROUPS_MAX)
        yield {
          at: context.placeOf(credentials.origin, { pid }),
          what: "too many supplementary groups",
          expected: `at most ${NGROUPS_MAX}`,
          found: String(credentials.groups.length),
        };
    },
  ),
  threadRule(
    {
      id: "RSEQ_AREA",
      level: "error",
      about:
        "The area of restartable sequences has an address that is a multiple of 32: rseq(2) refuses others.",
      fix: "Undo the edit that changed it, or copy the image again: the program says where its area is.",
    },
    function* ({ rseq }, { pid }, context) {
      if (rseq !== undefined && rseq.address % RSEQ_ALIGNMENT !== 0n)
        yield {
          at: context.placeOf(rseq.origin, { pid }),
          what: "invalid address of the rseq area",
          expected: `a multiple of ${RSEQ_ALIGNMENT}`,
          found: hex(rseq.address),
        };
    },
  ),
];

/** A rule that looks at each thread by itself. */
export function threadRule(
  facts: RuleFacts,
  check: (thread: Thread, task: Task, context: ImageContext) => Iterable<Found>,
): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      for (const task of context.checkpoint.tasks)
        for (const thread of task.threads) yield* check(thread, task, context);
    },
  };
}
