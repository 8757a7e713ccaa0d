import { RECORDS } from "../../../formats/linux-cr/records.js";
import { XSTATE_COMPONENT } from "../../../formats/linux-cr/tables/extensions-tasks.js";
import { SECCOMP_MODE_FILTER } from "../../../linux/seccomp.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule } from "./record-rule.js";

/** Bit of TASK_EXTRA.flags: cgroup_set is stored. */
const HAS_CGROUP_SET = 8;

/** Rules about the extension records of tasks. */
export const taskExtensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.TASK_EXTRA,
    {
      id: "TASK_EXTRA_VALUES",
      level: "error",
      about:
        "TASK_EXTRA names a filter in the seccomp mode for filters alone, and filters and cgroups that there are.",
      mend: AGAIN,
    },
    function* (extra, _, context) {
      if ((extra.seccomp_mode === SECCOMP_MODE_FILTER) !== (extra.seccomp_filter !== 0))
        yield {
          field: "seccomp_filter",
          what: "the seccomp mode and the filter contradict each other",
          expected: extra.seccomp_mode === SECCOMP_MODE_FILTER ? "a filter" : "0",
          found: String(extra.seccomp_filter),
        };
      else if (extra.seccomp_filter !== 0 && !context.share(filters).has(extra.seccomp_filter))
        yield {
          field: "seccomp_filter",
          what: `${extra.seccomp_filter} names no filter`,
          expected: "a SECCOMP_FILTER",
          found: "none",
        };
      if (
        (extra.flags & HAS_CGROUP_SET) !== 0 &&
        extra.cgroup_set !== 0 &&
        !context.share(cgroupSets).has(extra.cgroup_set)
      )
        yield {
          field: "cgroup_set",
          what: `${extra.cgroup_set} names no set of control groups`,
          expected: "a CGROUP_SET",
          found: "none",
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
];

function filters(context: StreamContext): ReadonlySet<number> {
  return new Set([...context.each(RECORDS.SECCOMP_FILTER)].map(({ value }) => value.filter_ref));
}

function cgroupSets(context: StreamContext): ReadonlySet<number> {
  return new Set([...context.each(RECORDS.CGROUP_SET)].map(({ value }) => value.set_id));
}
