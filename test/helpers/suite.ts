import { writeFileSync } from "node:fs";
import { suite as uvuSuite } from "uvu";
import { TIMES } from "./seed.js";

/** A test that could not run here; `want` is what it lacks in one word, for the table of all that were skipped. */
export interface Skipped {
  readonly test: string;
  readonly reason: string;
  readonly want: string;
}

/** What one test process found out; `test/run.ts` adds these up. */
export interface Report {
  passed: number;
  failed: string[];
  skipped: Skipped[];
}

type Handler<T> = (context: T) => unknown;

interface Hook<T> {
  (handler: Handler<T>): void;
  each(handler: Handler<T>): void;
}

/** A uvu suite whose tests are all accounted for: see `suite`. */
export interface Suite<T> {
  (name: string, handler: Handler<T>): void;
  only(name: string, handler: Handler<T>): void;
  before: Hook<T>;
  after: Hook<T>;
  run(): void;
}

class Skip extends Error {
  constructor(
    reason: string,
    readonly want: string,
  ) {
    super(reason);
  }
}

/**
 * Ends the running test (or, from a `before` hook, the whole suite) as skipped, for want of a thing of helpers/needs.ts or
 * because this machine cannot do it. CI takes a skip for a failure unless CRIMG_TEST_WITHOUT names what is wanted.
 */
export function skip(reason: string, want = "machine"): never {
  throw new Skip(reason, want);
}

const report: Report = { passed: 0, failed: [], skipped: [] };
const suites: { name: string; started: boolean; tests: number; waiting: Set<string> }[] = [];

/**
 * uvu's `suite` with the holes closed: a forgotten `.run()`, a suite without tests, a hook that throws and a
 * test that never ends count as failures; `skip(reason)` is counted apart. `seconds` limits each test, for so many times as
 * cases of properties are asked for.
 */
export function suite<T extends object = Record<string, unknown>>(
  name: string,
  context?: T,
  seconds = 120,
): Suite<T> {
  const inner = uvuSuite<T>(name, context);
  const state = { name, started: false, tests: 0, waiting: new Set<string>() };
  suites.push(state);
  let skipAll: Skip | undefined;

  const counted =
    (title: string, handler: Handler<T>) =>
    async (ctx: T): Promise<void> => {
      state.waiting.delete(title);
      try {
        if (skipAll !== undefined) throw skipAll;
        await within(seconds, () => handler(ctx));
        report.passed++;
      } catch (error) {
        if (!(error instanceof Skip)) {
          report.failed.push(`${name}: ${title}`);
          throw asError(error);
        }
        report.skipped.push({ test: `${name}: ${title}`, reason: error.message, want: error.want });
        process.stdout.write(`\n  skipped "${title}": ${error.message}\n`);
      }
    };
  const adder = (add: (title: string, handler: Handler<T> & (() => void)) => void) => {
    return (title: string, handler: Handler<T>): void => {
      if (state.waiting.has(title)) throw new Error(`suite "${name}" has two tests named "${title}"`);
      state.waiting.add(title);
      state.tests++;
      add(title, counted(title, handler) as Handler<T> & (() => void));
    };
  };
  // uvu swallows what a hook throws, so it is told here.
  const hook =
    (which: string, handler: Handler<T>) =>
    async (ctx: T): Promise<void> => {
      // Tests that are all skipped need nothing made and left nothing; what `before` began is for `after`.
      if (skipAll !== undefined && which.endsWith(".each")) return;
      try {
        await within(seconds, () => handler(ctx));
      } catch (error) {
        if (error instanceof Skip && which === "before") {
          skipAll = error;
          return;
        }
        report.failed.push(`${name}: ${which}`);
        process.stderr.write(`\nFAIL ${which} of suite "${name}": ${asError(error).stack}\n`);
        throw error;
      }
    };

  return Object.assign(adder(inner), {
    only: adder(inner.only),
    before: Object.assign((handler: Handler<T>) => inner.before(hook("before", handler)), {
      each: (handler: Handler<T>) => inner.before.each(hook("before.each", handler)),
    }),
    after: Object.assign((handler: Handler<T>) => inner.after(hook("after", handler)), {
      each: (handler: Handler<T>) => inner.after.each(hook("after.each", handler)),
    }),
    run: () => {
      state.started = true;
      inner.run();
    },
  });
}

async function within(limit: number, work: () => unknown): Promise<void> {
  const seconds = limit * TIMES;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still running after ${seconds} s`)), seconds * 1000);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
}

function unaccounted(): string[] {
  if (suites.length === 0) return ["no suite was declared"];
  return suites.flatMap(({ name, started, tests, waiting }) => {
    if (tests === 0) return [`suite "${name}" has no tests`];
    if (!started) return [`suite "${name}" was never started: .run() is missing`];
    return [...waiting].map((title) => `test "${title}" of suite "${name}" never ran`);
  });
}

process.on("exit", (code) => {
  const problems = unaccounted();
  for (const problem of problems) process.stderr.write(`FAIL ${problem}\n`);
  report.failed.push(...problems);
  if (report.failed.length > 0 && code === 0) process.exitCode = 1;
  const to = process.env.CRIMG_TEST_REPORT;
  if (to) writeFileSync(to, JSON.stringify(report));
});
