import { RECORDS } from "../../../formats/linux-cr/records.js";
import { XSTATE_COMPONENT } from "../../../formats/linux-cr/tables/extensions-tasks.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule, SET_FIELD } from "./record-rule.js";

/** Rules about the extension records of tasks. */
export const taskExtensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.XSTATE,
    {
      id: "XSTATE_COMPONENTS",
      level: "error",
      about:
        "XSTATE holds as many components as it says, in ascending order, none twice, and fills its record.",
      fix: SET_FIELD,
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
