import fc from "fast-check";
import { SEED, TIMES } from "./seed.js";

/**
 * `fc.assert` with the seed of this run (fast-check prints it with a counterexample) and CRIMG_PROPERTY_RUNS times as
 * many cases as asked for.
 */
export function holds<T>(
  property: fc.IProperty<T>,
  { numRuns = 100, ...others }: Omit<fc.Parameters<T>, "seed"> = {},
): void {
  fc.assert(property, { ...others, seed: SEED, numRuns: numRuns * TIMES });
}
