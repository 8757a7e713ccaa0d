import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule } from "./record-rule.js";

/** NGROUPS_MAX */
const MAX_GROUPS = 65_536;
const SECURITY_TYPES = 4;
const MAX_LABEL_BYTES = 1024;

/** Rules about credentials, groups and labels. */
export const credentialRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.GROUPINFO,
    {
      id: "GROUPS_ORDER",
      level: "error",
      about: "Supplementary groups ascend without repetition, and there are at most 65,536.",
      mend: AGAIN,
    },
    function* ({ ngroups }, index, { stream }) {
      if (ngroups > MAX_GROUPS) {
        yield {
          field: "ngroups",
          what: "too many groups",
          expected: `at most ${MAX_GROUPS}`,
          found: String(ngroups),
        };
        return;
      }
      const groups = stream.numbers(index).map((gid) => gid >>> 0);
      if (groups.length !== ngroups)
        yield {
          field: "ngroups",
          what: "another number of groups than there are",
          expected: `${ngroups}`,
          found: `${groups.length}`,
        };
      const wrong = groups.findIndex((gid, i) => i > 0 && gid <= (groups[i - 1] as number));
      if (wrong !== -1)
        yield {
          field: `groups[${wrong}]`,
          what: "the groups do not ascend",
          expected: `above ${groups[wrong - 1]}`,
          found: String(groups[wrong]),
        };
    },
  ),
  recordRule(
    RECORDS.SECURITY,
    {
      id: "LABEL_TYPE",
      level: "error",
      about:
        "A security label is that of a message, a System V object, a file or credentials (1 to 4), at most 1024 bytes.",
      mend: AGAIN,
    },
    function* ({ sectype, ptrref }, index, { stream }) {
      if (sectype < 1 || sectype > SECURITY_TYPES)
        yield {
          field: "sectype",
          what: "no type of a label",
          expected: `1 to ${SECURITY_TYPES}`,
          found: String(sectype),
        };
      if (ptrref <= 0)
        yield { field: "ptrref", what: "no number of a label", expected: "above 0", found: String(ptrref) };
      const size = stream.kind(index + 1) === RECORDS.STRING ? stream.payload(index + 1).size : 0;
      if (size > MAX_LABEL_BYTES)
        yield {
          what: "the label is too long",
          expected: `at most ${MAX_LABEL_BYTES} bytes`,
          found: `${size} bytes`,
        };
    },
  ),
];
