import type { Found, RuleFacts } from "../finding.js";

/** What is told of rules that damage kept from looking at everything. */
export const DAMAGE_FACTS: RuleFacts = {
  id: "STREAM_DAMAGE",
  level: "warning",
  about: "No damage keeps a rule from looking at all of a stream.",
  fix: "Fix what the other findings say, then check again.",
};

/** One finding for each reason that stopped rules, with the rules that it stopped; an error if nothing else is one. */
export function* damage(stopped: ReadonlyMap<string, string>, isTold: boolean): Generator<Found> {
  const reasons = new Map<string, string[]>();
  for (const [id, reason] of stopped) {
    const ids = reasons.get(reason);
    if (ids === undefined) reasons.set(reason, [id]);
    else ids.push(id);
  }
  for (const [reason, ids] of reasons)
    yield {
      at: {},
      what: `not all could be checked: ${reason}`,
      found: ids.join(", "),
      ...(isTold ? {} : { level: "error" }),
    };
}
