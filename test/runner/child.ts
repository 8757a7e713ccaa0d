import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NIGHTLY, TIMES } from "../helpers/seed.js";
import type { Report } from "../helpers/suite.js";
import { type Job, ROOT } from "./jobs.js";

/**
 * A job that restores tasks with the ids that they had runs in pid and IPC namespaces of its own, where no other job can
 * have taken an id meanwhile and nothing outlives it. bash is their init, which reaps what tests leave behind; ids begin
 * where those of the fixtures do not end.
 */
const NAMESPACE = ["--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"];
const INIT = 'echo 20000 >/proc/sys/kernel/ns_last_pid; "$@"; exit $?';

/** How many times as long a job may take at night. */
const NIGHT = 8;

let canIsolate: boolean | undefined;

function isolated(argv: readonly string[]): readonly string[] {
  canIsolate ??= spawnSync("unshare", [...NAMESPACE, "bash", "-c", INIT, "init", "true"]).status === 0;
  return canIsolate ? ["unshare", ...NAMESPACE, "bash", "-c", INIT, "init", ...argv] : argv;
}

const running = new Set<ChildProcess>();

function killTree(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGKILL");
  } catch {
    // it is gone already
  }
}

process.on("SIGINT", () => {
  for (const child of running) killTree(child);
  process.exit(130);
});

/**
 * Runs one job and gives what it reported; a child that dies counts as one failure at least. `reportFile` is the job's
 * own. What it prints goes to `print`.
 */
export function runJob(job: Job, reportFile: string, print: (text: Buffer) => void): Promise<Report> {
  const tests = [process.execPath, "--import", "tsx", join(ROOT, "test/helpers/run-files.ts"), ...job.files];
  const needsIds = job.runs === "waits";
  const [program, ...args] = (needsIds ? isolated(tests) : tests) as [string, ...string[]];
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, CRIMG_TEST_REPORT: reportFile },
  });
  running.add(child);
  child.stdout.on("data", print);
  child.stderr.on("data", print);
  const seconds = job.seconds * TIMES * (NIGHTLY ? NIGHT : 1);
  const timer = setTimeout(() => {
    print(Buffer.from(`FAIL ${job.name}: still running after ${seconds} s, killed\n`));
    killTree(child);
  }, seconds * 1000);
  return new Promise((done) => {
    // Not "close": a program that a test left behind may hold the pipes.
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const report = readReport(reportFile);
      if ((code !== 0 || isEmpty(report)) && report.failed.length === 0)
        report.failed.push(`${job.name}: ended with ${signal ?? `exit code ${code}`}`);
      setImmediate(() => done(report));
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

/** Whether no test ran. */
export function isEmpty({ passed, failed, skipped }: Report): boolean {
  return passed + failed.length + skipped.length === 0;
}
