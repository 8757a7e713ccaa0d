import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { ItimerEntry, PosixTimerEntry, TimerfdEntry } from "../../../formats/criu/tables/timer.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import { NSEC_PER_SEC, USEC_PER_SEC } from "../../../linux/time.js";
import type { SetContext } from "../context.js";
import type { Found, Place, Rule } from "../finding.js";
import { filesByType } from "../references/source.js";
import { tasksOf } from "../tasks.js";

/** time_t is signed. */
const MAX_SECONDS = 1n << 63n;

/** Rules about times and resource limits. */
export const timerRules: readonly Rule<SetContext>[] = [
  {
    id: "TIMER_RANGE",
    level: "error",
    about: "Times of timers are seconds and a fraction below one second: the kernel refuses others.",
    mend: "crimg edit --expiry KIND=DURATION sets what is left of a timer.",
    *check(context) {
      for (const { pid, core } of context.share(tasksOf)) {
        const { timers } = core?.tc ?? {};
        if (timers === undefined) continue;
        const at = { image: fileNameOf(IMAGES.CORE, pid), record: 0, pid };
        for (const name of ["real", "virt", "prof"] as const)
          yield* micro(timers[name], { ...at, field: `tc.timers.${name}` });
        for (const [i, timer] of timers.posix.entries())
          yield* nano(timer, { ...at, field: `tc.timers.posix[${i}]` });
      }
      for (const file of context.share(filesByType).get("TIMERFD") ?? [])
        yield* nano(file.record as TimerfdEntry, file.origin);
    },
  },
  {
    id: "TIMER_DUPLICATE",
    level: "error",
    about: "No two POSIX timers of a task have one id.",
    mend: "Copy the core image again from where the set was made.",
    *check(context) {
      for (const { pid, core } of context.share(tasksOf)) {
        const seen = new Set<number>();
        for (const [i, { it_id }] of (core?.tc?.timers?.posix ?? []).entries()) {
          if (seen.has(it_id))
            yield {
              at: { image: fileNameOf(IMAGES.CORE, pid), record: 0, field: `tc.timers.posix[${i}]`, pid },
              what: `the id ${it_id} is used twice`,
            };
          seen.add(it_id);
        }
      }
    },
  },
  {
    id: "RLIMIT_RANGE",
    level: "error",
    about: "A soft resource limit is not above the hard one: the kernel refuses others.",
    mend: "Copy the core image again from where the set was made.",
    *check(context) {
      for (const { pid, core } of context.share(tasksOf))
        for (const [i, { cur, max }] of (core?.tc?.rlimits?.rlimits ?? []).entries())
          if (cur > max)
            yield {
              at: { image: fileNameOf(IMAGES.CORE, pid), record: 0, field: `tc.rlimits.rlimits[${i}]`, pid },
              what: "the soft limit is above the hard one",
              expected: `at most ${max}`,
              found: String(cur),
            };
    },
  },
  {
    id: "RLIMIT_COUNT",
    level: "warning",
    about: "A task has the 16 resource limits of Linux.",
    mend: "Copy the core image again from where the set was made.",
    *check(context) {
      for (const { pid, core } of context.share(tasksOf)) {
        const count = core?.tc?.rlimits?.rlimits.length;
        if (count !== undefined && count !== RLIM_NLIMITS)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, pid), record: 0, field: "tc.rlimits", pid },
            what: "a wrong number of limits",
            expected: String(RLIM_NLIMITS),
            found: String(count),
          };
      }
    },
  },
];

function* micro({ isec, iusec, vsec, vusec }: ItimerEntry, at: Place): Generator<Found> {
  yield* wrong([isec, vsec], [iusec, vusec], USEC_PER_SEC, "microseconds", at);
}

function* nano({ isec, insec, vsec, vnsec }: PosixTimerEntry | TimerfdEntry, at: Place): Generator<Found> {
  yield* wrong([isec, vsec], [insec, vnsec], NSEC_PER_SEC, "nanoseconds", at);
}

function* wrong(
  seconds: readonly bigint[],
  fractions: readonly bigint[],
  unit: bigint,
  name: string,
  at: Place,
): Generator<Found> {
  for (const value of seconds)
    if (value >= MAX_SECONDS) yield { at, what: "a negative time", found: `${BigInt.asIntN(64, value)} s` };
  for (const value of fractions)
    if (value >= unit)
      yield {
        at,
        what: "a fraction of a second or more",
        expected: `below ${unit} ${name}`,
        found: String(value),
      };
}
