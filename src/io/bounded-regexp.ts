import { createContext, Script } from "node:vm";
import { UsageError } from "./errors.js";

/** Even an expression that tries every way through it is done with so short a text at once. */
const SHORT = 12;
/** Tests that take longer than a millisecond or two are counted, and together may take so long. */
const SLOW_MS = 5;
const BUDGET_MS = 5000;

/**
 * Whether a text matches a regular expression that somebody typed, which may take exponential time on a text that
 * somebody else chose. Errors: USAGE once such tests have taken five seconds.
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
        `the regular expression takes too long on a text of ${text.length} characters; repeat nothing that repeats something, as (a+)+ does`,
      );
    } finally {
      const took = performance.now() - start;
      if (took > SLOW_MS) left -= took;
    }
  };
}
