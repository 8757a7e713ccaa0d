import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NGROUPS_MAX } from "../../../linux/files.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule } from "./record-rule.js";

const MAX_LABEL_BYTES = 1024;

/** Rules about credentials, groups and labels. */
export const credentialRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.GROUPINFO,
    {
      id: "GROUPS_ORDER",
      level: "error",
      about: "Supplementary groups are as many as GROUPINFO says, and ascend without repetition.",
      fix: "crimg convert to a CRIU set and back sorts the groups; crimg edit --set corrects ngroups.",
    },
    function* ({ ngroups }, index, { stream }) {
      if (ngroups > NGROUPS_MAX) return;
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
      id: "LABEL_LENGTH",
      level: "error",
      about: `A security label has at most ${MAX_LABEL_BYTES} bytes.`,
      fix: "No security module has such a label: checkpoint again.",
    },
    function* (_, index, { stream }) {
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
