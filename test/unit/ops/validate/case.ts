import { DamagedSet } from "./damaged-set.js";

/** One way to damage a real set, and the findings that it must bring. */
export interface Case {
  readonly id: string;
  readonly what: string;
  readonly damaged: () => DamagedSet;
  /** Other rules that the same damage breaks. */
  readonly also: readonly string[];
}

/** A case for a rule; `fixture` is the set that is damaged. */
export function damage(
  id: string,
  fixture: string,
  change: (set: DamagedSet) => DamagedSet,
  also: readonly string[] = [],
  what = "",
): Case {
  return {
    id,
    what: what === "" ? fixture : `${fixture}, ${what}`,
    damaged: () => change(new DamagedSet(fixture)),
    also,
  };
}
