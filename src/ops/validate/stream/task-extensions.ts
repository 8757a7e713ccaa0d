import { RECORDS } from "../../../formats/linux-cr/records.js";
import { XSTATE_COMPONENT } from "../../../formats/linux-cr/tables/extensions-tasks.js";
import { SECCOMP_MODE_FILTER } from "../../../linux/seccomp.js";
import { NSIG } from "../../../linux/signals.js";
import { SIGEV_NONE, SIGEV_THREAD_ID } from "../../../linux/time.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, hex, recordRule, type Wrong } from "./record-rule.js";

const STORED = { oomScoreAdj: 1, scheduling: 4, cgroupSet: 8 } as const;
const MOST_OOM = 1000;
/** SCHED_OTHER, FIFO, RR, BATCH, IDLE, DEADLINE */
const POLICIES: ReadonlySet<number> = new Set([0, 1, 2, 3, 5, 6]);
const REAL_TIME: ReadonlySet<number> = new Set([1, 2]);
const STOPPED = 4;
const NOTIFICATIONS: ReadonlySet<number> = new Set([0, 1, 2, 4]);
/** struct rseq has 32 bytes of this alignment. */
const RSEQ_BYTES = 32n;
const SIGNED_64 = 1n << 63n;

/** Rules about the extension records of tasks. */
export const taskExtensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.TASK_EXTRA,
    {
      id: "TASK_EXTRA_VALUES",
      level: "error",
      about:
        "What TASK_EXTRA says of a task is what the kernel takes: oom_score_adj, scheduling, switches, seccomp.",
      mend: AGAIN,
    },
    function* (extra, _, context) {
      const has = (what: number): boolean => (extra.flags & what) !== 0;
      const wrong = (field: keyof typeof extra, expected: string): Wrong => ({
        field,
        what: "a value that the kernel does not take",
        expected,
        found: String(extra[field]),
      });
      if (has(STORED.oomScoreAdj) && Math.abs(extra.oom_score_adj) > MOST_OOM)
        yield wrong("oom_score_adj", `-${MOST_OOM} to ${MOST_OOM}`);
      if (has(STORED.scheduling)) {
        if (!POLICIES.has(extra.sched_policy)) yield wrong("sched_policy", [...POLICIES].join(", "));
        else if (REAL_TIME.has(extra.sched_policy) !== extra.sched_priority > 0 || extra.sched_priority > 99)
          yield wrong("sched_priority", REAL_TIME.has(extra.sched_policy) ? "1 to 99" : "0");
        if (extra.sched_nice < -20 || extra.sched_nice > 19) yield wrong("sched_nice", "-20 to 19");
      }
      for (const field of ["no_new_privs", "child_subreaper", "thp_disabled"] as const)
        if (extra[field] > 1) yield wrong(field, "0 or 1");
      if (extra.seccomp_mode > SECCOMP_MODE_FILTER) yield wrong("seccomp_mode", "0, 1 or 2");
      else if ((extra.seccomp_mode === SECCOMP_MODE_FILTER) !== (extra.seccomp_filter !== 0))
        yield wrong("seccomp_filter", extra.seccomp_mode === SECCOMP_MODE_FILTER ? "a filter" : "0");
      else if (extra.seccomp_filter !== 0 && !context.share(filters).has(extra.seccomp_filter))
        yield {
          field: "seccomp_filter",
          what: `${extra.seccomp_filter} names no filter`,
          expected: "a SECCOMP_FILTER",
          found: "none",
        };
      if (has(STORED.cgroupSet) && extra.cgroup_set !== 0 && !context.share(cgroupSets).has(extra.cgroup_set))
        yield {
          field: "cgroup_set",
          what: `${extra.cgroup_set} names no set of control groups`,
          expected: "a CGROUP_SET",
          found: "none",
        };
    },
  ),
  {
    id: "TASK_STOP_SIGNAL",
    level: "error",
    about: "A task that is stopped (state 4), and no other, has the signal that stopped it.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.tree.tasks) {
        const extra = context.reader.find(part, RECORDS.TASK_EXTRA);
        const task = context.reader.find(part, RECORDS.TASK);
        if (extra === undefined || task === undefined) continue;
        const { stop_signo: signal } = extra.value;
        const isStopped = task.value.state === STOPPED;
        if (signal > NSIG || (signal !== 0 && !isStopped))
          yield {
            at: context.at(extra.index, { field: "stop_signo" }),
            what: isStopped ? "no signal" : "a signal that stopped a task that runs",
            expected: isStopped ? `1 to ${NSIG}` : "0",
            found: String(signal),
          };
      }
    },
  },
  recordRule(
    RECORDS.RSEQ,
    {
      id: "RSEQ_AREA",
      level: "error",
      about:
        "The area of restartable sequences has an address that is a multiple of 32, and at least 32 bytes.",
      mend: AGAIN,
    },
    function* ({ abi_pointer, abi_size }) {
      if (abi_pointer === 0n || abi_pointer % RSEQ_BYTES !== 0n)
        yield {
          field: "abi_pointer",
          what: "no address of such an area",
          expected: "a multiple of 32",
          found: hex(abi_pointer),
        };
      if (BigInt(abi_size) < RSEQ_BYTES)
        yield {
          field: "abi_size",
          what: "too small an area",
          expected: "32 or more",
          found: String(abi_size),
        };
    },
  ),
  recordRule(
    RECORDS.XSTATE,
    {
      id: "XSTATE_COMPONENTS",
      level: "error",
      about:
        "XSTATE holds as many components as it says, in ascending order, none twice, and fills its record.",
      mend: AGAIN,
    },
    function* ({ nr_components: count }, index, { stream }) {
      const bytes = stream.bytes(index);
      const isLittle = stream.byteOrder === "little-endian";
      const word = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
      let at = 0;
      let found = 0;
      let last = -1;
      while (at + XSTATE_COMPONENT.size <= bytes.length && found < count) {
        const component = word(at);
        if (component <= last || component > 63) {
          yield {
            what: "components that do not ascend",
            expected: `${last + 1} to 63`,
            found: String(component),
          };
          return;
        }
        last = component;
        at += XSTATE_COMPONENT.size + word(at + 4);
        found++;
      }
      // Records have multiples of 8 bytes.
      if (found !== count || at > bytes.length || bytes.length - at >= 8)
        yield {
          field: "nr_components",
          what: "the components do not fill the record",
          expected: String(count),
          found: String(found),
        };
    },
  ),
  {
    id: "TIMER_VALUES",
    level: "error",
    about:
      "The POSIX timers of a process have numbers of their own, signals from 1 to 64, threads of it to notify, and no negative times.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.tree.tasks) {
        const seen = new Set<number>();
        for (const index of part.records) {
          const timer = context.valueAt(index, RECORDS.POSIX_TIMER);
          if (timer === undefined) continue;
          yield* timerProblems(context, index, timer);
          if (seen.has(timer.timer_id))
            yield {
              at: context.at(index, { field: "timer_id" }),
              what: `the number ${timer.timer_id} is there twice`,
            };
          seen.add(timer.timer_id);
        }
      }
    },
  },
];

interface Timer {
  readonly sigev_notify: number;
  readonly signo: number;
  readonly notify_tid: number;
  readonly value_ns: bigint;
  readonly interval_ns: bigint;
}

function* timerProblems(context: StreamContext, index: number, timer: Timer): Generator<Found> {
  const { sigev_notify: how, signo, notify_tid, value_ns, interval_ns } = timer;
  const at = (field: string) => context.at(index, { field });
  if (!NOTIFICATIONS.has(how))
    yield {
      at: at("sigev_notify"),
      what: "no way to notify",
      expected: [...NOTIFICATIONS].join(", "),
      found: String(how),
    };
  else if (how !== SIGEV_NONE && (signo < 1 || signo > NSIG))
    yield { at: at("signo"), what: "no signal", expected: `1 to ${NSIG}`, found: String(signo) };
  if (how === SIGEV_THREAD_ID && notify_tid <= 0)
    yield {
      at: at("notify_tid"),
      what: "no thread to notify",
      expected: "above 0",
      found: String(notify_tid),
    };
  if (value_ns >= SIGNED_64 || interval_ns >= SIGNED_64)
    yield { at: at("value_ns"), what: "a negative time", expected: "0 or more nanoseconds" };
}

function filters(context: StreamContext): ReadonlySet<number> {
  return new Set([...context.each(RECORDS.SECCOMP_FILTER)].map(({ value }) => value.filter_ref));
}

function cgroupSets(context: StreamContext): ReadonlySet<number> {
  return new Set([...context.each(RECORDS.CGROUP_SET)].map(({ value }) => value.set_id));
}
