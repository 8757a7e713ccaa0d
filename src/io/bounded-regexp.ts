import { createContext, Script } from "node:vm";
import { UsageError } from "./errors.js";

/** A text so short is fast even with exponential backtracking. */
const SHORT = 12;
/** Slow tests are counted; this is their total time budget. */
const SLOW_MS = 5;
const BUDGET_MS = 5000;

/**
 * Runs searches with a regular expression of the user, which may take exponential time on what an image holds. A search of
 * more than `slowMs` is slow. Errors: USAGE once slow searches have taken five seconds; `on` says what was searched.
 */
export function boundedSearches(slowMs: number): <T>(search: () => T, on: string) => T {
  const script = new Script("search()");
  const context = createContext({ search: undefined });
  let left = BUDGET_MS;
  return (search, on) => {
    const start = performance.now();
    try {
      context.search = search;
      return script.runInContext(context, { timeout: Math.max(1, Math.round(left)) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new UsageError(`regular expression too slow (on ${on}); avoid nested repetition such as (a+)+`);
    } finally {
      const took = performance.now() - start;
      if (took > slowMs) left -= took;
    }
  };
}

/** Whether a text matches a regular expression of the user. Errors: those of `boundedSearches`. */
export function boundedTest(pattern: RegExp): (text: string) => boolean {
  const run = boundedSearches(SLOW_MS);
  return (text) =>
    text.length <= SHORT
      ? pattern.test(text)
      : run(() => pattern.test(text), `a text of ${text.length} characters`);
}
