// npm test [-- GROUP|FILE …]: runs the test groups, each in a process of its own (every e2e file in its own), and
// ends with one line "N passed, N failed[, N skipped]". With CI=true a skipped test is an error.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { newestSource } from "../scripts/newest-source.js";
import type { Report } from "./helpers/suite.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GROUPS = ["unit", "package", "golden", "cli", "property", "hostile", "fuzz", "oracle", "e2e"];
const IN_CI = process.env.CI === "true";
const GROUP_SECONDS = 900;
/** Longer than any suite allows itself: the tests of kills take minutes. */
const FILE_SECONDS = 1800;

interface Job {
  readonly name: string;
  readonly files: readonly string[];
  readonly seconds: number;
}

function testFiles(directory: string): string[] {
  try {
    const names = readdirSync(join(ROOT, directory), { recursive: true }) as string[];
    return names
      .filter((name) => name.endsWith(".test.ts"))
      .sort()
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function jobsOf(name: string): Job[] {
  if (name.endsWith(".test.ts")) return [{ name, files: [resolve(name)], seconds: FILE_SECONDS }];
  const files = testFiles(join("test", name)).map((file) => join(ROOT, file));
  if (name.split("/")[0] === "e2e")
    return files.map((file) => ({ name: file, files: [file], seconds: FILE_SECONDS }));
  return files.length === 0 ? [] : [{ name, files, seconds: GROUP_SECONDS }];
}

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

/** Runs one job and returns what it reported; a child that dies counts as one failure at least. */
function run(job: Job, scratch: string): Promise<Report> {
  const reportFile = join(scratch, "report.json");
  rmSync(reportFile, { force: true });
  console.log(`\n== ${job.name}`);
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(ROOT, "test/helpers/run-files.ts"), ...job.files],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
      env: { ...process.env, CRIMG_TEST_REPORT: reportFile },
    },
  );
  const killAll = (): void => {
    try {
      process.kill(-(child.pid as number), "SIGKILL");
    } catch {
      // it is gone already
    }
  };
  const interrupt = (): void => {
    killAll();
    process.exit(130);
  };
  process.once("SIGINT", interrupt);
  const timer = setTimeout(() => {
    console.error(`FAIL ${job.name}: still running after ${job.seconds} s, killed`);
    killAll();
  }, job.seconds * 1000);
  return new Promise((done) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      process.removeListener("SIGINT", interrupt);
      const report = readReport(reportFile);
      if ((code !== 0 || isEmpty(report)) && report.failed.length === 0)
        report.failed.push(`${job.name}: ended with ${signal ?? `exit code ${code}`}`);
      done(report);
    });
  });
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return { passed: 0, failed: [], skipped: [] };
  }
}

function isEmpty({ passed, failed, skipped }: Report): boolean {
  return passed + failed.length + skipped.length === 0;
}

async function main(names: readonly string[]): Promise<number> {
  const wanted = names.length > 0 ? names : GROUPS;
  const jobs = wanted.flatMap(jobsOf);
  const empty = names.length > 0 || IN_CI ? wanted.filter((name) => jobsOf(name).length === 0) : [];
  if (jobs.some(({ files }) => files.some((file) => !SOURCES_ONLY.test(file)))) buildIfStale();
  const scratch = mkdtempSync(join(tmpdir(), "crimg-test-"));
  const total: Report = { passed: 0, failed: empty.map((name) => `${name}: no test files`), skipped: [] };
  for (const job of jobs) {
    const { passed, failed, skipped } = await run(job, scratch);
    total.passed += passed;
    total.failed.push(...failed);
    total.skipped.push(...skipped);
  }
  rmSync(scratch, { recursive: true });

  console.log("");
  for (const name of total.failed) console.log(`failed ${name}`);
  for (const { test, reason } of total.skipped) console.log(`skipped ${test}: ${reason}`);
  if (IN_CI && total.skipped.length > 0) console.error("a skipped test is an error in CI");
  if (isEmpty(total)) console.error("no test ran");
  const skips = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed.length} failed${skips}`);
  return total.failed.length > 0 || total.passed === 0 || (IN_CI && total.skipped.length > 0) ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
