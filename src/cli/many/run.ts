import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { EXIT } from "../exit-codes.js";
import { terminalWidth } from "../output.js";
import type { OneRun } from "./words.js";
import type { RunResult } from "./worker.js";

/** Images that are worked on or wait for their turn to be printed, for each worker. */
const AHEAD = 4;

/**
 * Runs the command lines in worker threads, `jobs` at once, and gives each result to `tell` in the order of `runs`. A worker
 * that dies ends one image, not the others.
 */
export async function runEach(
  runs: readonly OneRun[],
  { root, jobs }: { readonly root: string; readonly jobs: number },
  tell: (run: OneRun, result: RunResult) => void,
): Promise<void> {
  const results = new Map<number, RunResult>();
  let [next, told] = [0, 0];
  const waiting: (() => void)[] = [];
  const done = (at: number, result: RunResult): void => {
    results.set(at, result);
    for (let ready = results.get(told); ready !== undefined; ready = results.get(told)) {
      results.delete(told);
      tell(runs[told++] as OneRun, ready);
    }
    for (const go of waiting.splice(0)) go();
  };
  const workers = new Set<Worker>();
  const work = async (): Promise<void> => {
    let worker: Worker | undefined;
    while (next < runs.length) {
      if (next >= told + jobs * AHEAD) {
        await new Promise<void>((go) => waiting.push(go));
        continue;
      }
      const at = next++;
      worker ??= started(root);
      workers.add(worker);
      const result = await resultOf(worker, runs[at] as OneRun);
      if (result === undefined) worker = undefined;
      done(at, result ?? died());
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, runs.length) }, work));
  } finally {
    // Also when the reader of stdout is gone.
    await Promise.all([...workers].map((worker) => worker.terminate()));
  }
}

function started(root: string): Worker {
  const width = terminalWidth();
  const env = width === undefined ? process.env : { ...process.env, COLUMNS: String(width) };
  return new Worker(join(root, "bin/worker.js"), { env, stdin: true });
}

/** Undefined if the worker ended. */
function resultOf(worker: Worker, { argv }: OneRun): Promise<RunResult | undefined> {
  return new Promise((resolve) => {
    const end = (result?: RunResult): void => {
      worker.off("message", end).off("exit", ended).off("error", failed);
      resolve(result);
    };
    const ended = (): void => end();
    const failed = (): void => {};
    worker.on("message", end).on("exit", ended).on("error", failed);
    worker.postMessage(argv);
  });
}

/** What is told of an image whose worker ended, out of memory perhaps. */
function died(): RunResult {
  const message = "the worker thread ended; look at this image alone";
  return {
    exit: EXIT.trouble,
    stdout: Buffer.from(JSON.stringify({ error: { code: "INTERNAL", message } })),
    stderr: Buffer.from(`error: ${message}\n`),
  };
}
