import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { needCrit } from "./criu.js";
import { freshDirectory } from "./live.js";

const BATCH = fileURLToPath(new URL("crit-batch", import.meta.url));

/** What one run of crit gave: the bytes on its stdout (or in the file of `-o OUT`), or why it failed. */
export type CritResult = { readonly bytes: Buffer } | { readonly error: string };

/**
 * Runs crit once for each list of arguments, all in one process of Python, and gives the results in that order. An
 * argument `OUT` stands for a file of its own, which is then the result. The test is skipped without a crit.
 */
export function critBatch(runs: readonly (readonly string[])[]): CritResult[] {
  const directory = freshDirectory("crit");
  const jobs = runs.map((args, i) => {
    const [out, stdout] = [join(directory, `${i}.out`), join(directory, `${i}.stdout`)];
    return {
      args: args.map((arg) => (arg === "OUT" ? out : arg)),
      stdout,
      result: args.includes("OUT") ? out : stdout,
    };
  });
  const list = join(directory, "jobs.json");
  writeFileSync(list, JSON.stringify(jobs.map(({ args, stdout }) => [args, stdout])));
  execFileSync(needCrit().path, [], {
    env: { ...process.env, PYTHONPATH: BATCH, PYTHONDONTWRITEBYTECODE: "1", CRIMG_CRIT_JOBS: list },
    stdio: ["ignore", "ignore", "inherit"],
    timeout: 250_000,
  });
  return jobs.map(({ stdout, result }) =>
    existsSync(`${stdout}.error`)
      ? { error: readFileSync(`${stdout}.error`, "utf8") }
      : { bytes: readFileSync(result) },
  );
}
