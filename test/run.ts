// npm test [-- GROUP|FILE …]: runs the test groups side by side, each job in a process of its own, and ends with one line
// "N passed, N failed[, N skipped]". With CI=true a skipped test is an error unless CRIMG_TEST_WITHOUT says what is
// not there on purpose. CRIMG_SEED and CRIMG_PROPERTY_RUNS: see helpers/seed.ts.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { newestSource } from "../scripts/newest-source.js";
import type { Report } from "./helpers/suite.js";
import { isEmpty, runJob } from "./runner/child.js";
import { GROUPS, type Job, jobsOf, ROOT } from "./runner/jobs.js";
import { runAll } from "./runner/schedule.js";
import { skipTable, unannounced } from "./runner/skips.js";

const IN_CI = process.env.CI === "true";
/** Where test/support/criu.sh puts it. */
const UNPACKED_CRIU = join(ROOT, ".cache/criu/criu");

/** Groups that run sources in place and never the built program. */
const SOURCES_ONLY = /\/test\/(unit|property|fuzz|oracle)\//;

/** While types are wrong somewhere, the program may still be there to be tested; CI is stricter. */
function buildIfStale(): void {
  const isStale = (): boolean => {
    const built = statSync(join(ROOT, "dist/built"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return built < newestSource(ROOT);
  };
  if (!isStale()) return;
  const { status } = spawnSync("npm", ["run", "--silent", "build"], { cwd: ROOT, stdio: "inherit" });
  if (status === 0 || (!IN_CI && !isStale())) return;
  console.error("FAIL the build failed, so nothing was tested");
  console.log("0 passed, 1 failed");
  process.exit(1);
}

/** Runs all jobs; what each prints comes in one piece when it has ended, that of a single one at once. */
async function report(jobs: readonly Job[]): Promise<Report> {
  const scratch = mkdtempSync(join(tmpdir(), "crimg-test-"));
  const total: Report = { passed: 0, failed: [], skipped: [] };
  await runAll(jobs, availableParallelism(), async (job) => {
    const started = performance.now();
    const printed: Buffer[] = [];
    const print = (text: Buffer) => (jobs.length === 1 ? process.stdout.write(text) : printed.push(text));
    const file = join(scratch, `${jobs.indexOf(job)}.json`);
    const { passed, failed, skipped } = await runJob(job, file, print);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(Buffer.concat([Buffer.from(`\n== ${job.name} (${seconds} s)\n`), ...printed]));
    total.passed += passed;
    total.failed.push(...failed);
    total.skipped.push(...skipped);
  });
  rmSync(scratch, { recursive: true });
  return total;
}

async function main(names: readonly string[]): Promise<number> {
  if (IN_CI) process.env.CRIMG_SEED ??= String(randomInt(2 ** 31));
  if (existsSync(UNPACKED_CRIU)) process.env.CRIMG_CRIU ??= UNPACKED_CRIU;
  const wanted = names.length > 0 ? names : GROUPS;
  const jobs = wanted.flatMap(jobsOf);
  const empty = names.length > 0 || IN_CI ? wanted.filter((name) => jobsOf(name).length === 0) : [];
  if (jobs.some(({ files }) => files.some((file) => !SOURCES_ONLY.test(file)))) buildIfStale();
  const started = performance.now();
  const total = await report(jobs);
  total.failed.push(...empty.map((name) => `${name}: no test files`));

  console.log(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  for (const name of total.failed) console.log(`failed ${name}`);
  for (const { test, reason } of total.skipped) console.log(`skipped ${test}: ${reason}`);
  for (const line of skipTable(total.skipped)) console.log(line);
  const wrong = IN_CI ? unannounced(total.skipped, process.env.CRIMG_TEST_WITHOUT ?? "") : [];
  for (const { test, want } of wrong) console.error(`skipped for want of ${want}, an error in CI: ${test}`);
  if (isEmpty(total)) console.error("no test ran");
  const seed = process.env.CRIMG_SEED;
  if (seed !== undefined)
    console.log(
      `seed ${seed}; again: CRIMG_SEED=${seed} npm test${names
        .map((name) => ` ${name}`)
        .join("")
        .replace(/^/, names.length > 0 ? " --" : "")}`,
    );
  const skips = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed.length} failed${skips}`);
  return total.failed.length > 0 || total.passed === 0 || wrong.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
