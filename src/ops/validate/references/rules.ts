import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { REFERENCES, type ReferenceRow } from "./table.js";

/** One rule for each row of the table of references. */
export const referenceRules: readonly Rule<SetContext>[] = REFERENCES.map(ruleOf);

function ruleOf({ from, to, ...facts }: ReferenceRow): Rule<SetContext> {
  return {
    ...facts,
    *check(context) {
      const has = to.index(context);
      for (const source of from)
        for (const reference of source(context)) {
          if (has(reference)) continue;
          const expected = to.name(reference.key);
          yield { at: reference.at, what: `${reference.key} names nothing`, expected, found: "none" };
        }
    },
  };
}
