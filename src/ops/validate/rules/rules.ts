import type { ImageContext } from "../context.js";
import type { Rule } from "../finding.js";
import { lockRules } from "./locks.js";

/** The rules about what an image means, over the model: the same for both families, whichever way it is stored. */
export const MODEL_RULES: readonly Rule<ImageContext>[] = [...lockRules];

/** Rules of former versions by the rules that check the same now: their ids still work in --ignore and --only. */
export const RETIRED_RULES: ReadonlyMap<string, readonly string[]> = new Map([
  ["LOCK_VALUES", ["LOCK_KIND", "LOCK_TYPE", "LEASE_REST"]],
  ["LOCK_SPAN", ["LOCK_RANGE"]],
]);
