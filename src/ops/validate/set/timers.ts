import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { RLIM_NLIMITS } from "../../../linux/rlimits.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { tasksOf } from "../tasks.js";

/** Rules about timers and resource limits. */
export const timerRules: readonly Rule<SetContext>[] = [
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
