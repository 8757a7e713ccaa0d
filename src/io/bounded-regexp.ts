import { createContext, Script } from "node:vm";
import { UsageError } from "./errors.js";

/** A text so short is fast even with exponential backtracking. */
const SHORT = 12;
/** Slow tests are counted; this is their total time budget. */
const SLOW_MS = 5;
const BUDGET_MS = 5000;

/**
 * Whether a text matches a regular expression of the user, which may take exponential time on a text from an image.
 * Errors: USAGE once such tests have taken five seconds.
 */
export function boundedTest(pattern: RegExp): (text: string) => boolean {
  const test = new Script("pattern.test(text)");
  const context = createContext({ pattern, text: "" });
  let left = BUDGET_MS;
  return (text) => {
    if (text.length <= SHORT) return pattern.test(text);
    const start = performance.now();
    try {
      context.text = text;
      return test.runInContext(context, { timeout: Math.max(1, Math.round(left)) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new UsageError(
        `regular expression too slow (on a text of ${text.length} characters); avoid nested repetition such as (a+)+`,
      );
    } finally {
      const took = performance.now() - start;
      if (took > SLOW_MS) left -= took;
    }
  };
}
