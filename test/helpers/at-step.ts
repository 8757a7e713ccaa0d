import path from "node:path";
import { type CliOptions, type CliResult, crimg, preloading } from "./cli.js";

const PRELOADED = path.join(import.meta.dirname, "kill-at.cjs");

/** Calls that give, take or secure names: the moments between which a file system's state differs. */
export const NAMING = "mkdirSync,renameSync,linkSync,unlinkSync,rmSync,rmdirSync,fsyncSync,symlinkSync";

/** Environment in which crimg does something before its k-th changing call; see kill-at.cjs. */
export function atStep(step: number, act = "kill", calls?: string): Record<string, string> {
  return {
    NODE_OPTIONS: preloading(PRELOADED),
    CRIMG_TEST_KILL_AT: String(step),
    CRIMG_TEST_ACT: act,
    ...(calls !== undefined && { CRIMG_TEST_CALLS: calls }),
  };
}

/**
 * Runs crimg once for each of its changing calls, with `act` before it, until a run has no such call any more. `prepare` sets
 * the stage for each run, `check` judges what it left. Gives the number of runs that were acted on.
 */
export async function atEachStep(
  args: readonly string[],
  given: {
    readonly act?: string;
    readonly calls?: string;
    readonly options?: CliOptions;
    prepare(step: number): void;
    check(result: CliResult, step: number): unknown;
    /** When the run had no k-th call; by default when it was not killed. */
    isEnd?(result: CliResult): boolean;
  },
): Promise<number> {
  const { act, calls, options, prepare, check, isEnd = ({ signal }) => signal === null } = given;
  for (let step = 1; ; step++) {
    prepare(step);
    const result = await crimg(args, { ...options, env: { ...options?.env, ...atStep(step, act, calls) } });
    await check(result, step);
    if (isEnd(result)) return step - 1;
  }
}
