import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { gone } from "./live.js";
import { skip } from "./suite.js";

/** A tool that works on this machine, or the reason why there is none. */
export type Found = { path: string; version: string } | { missing: string; want?: "root" };

const found = new Map<string, Found>();

/**
 * CRIU by `CRIMG_CRIU`, then PATH. It must get through `criu check`: Debian 12's 3.17.1 starts, but ends there
 * on current kernels with "Unexpected rt vDSO area bounds".
 */
export function findCriu(): Found {
  return once("criu", () => {
    if (process.getuid?.() !== 0) return { missing: "criu dumps and restores only as root", want: "root" };
    return firstThatWorks(
      [process.env.CRIMG_CRIU, ...onPath("criu")],
      ["check"],
      "no working criu by CRIMG_CRIU or PATH",
    );
  });
}

/** crit by `CRIMG_CRIT`, then beside the criu of `CRIMG_CRIU`, then PATH. */
export function findCrit(): Found {
  return once("crit", () => {
    const beside = process.env.CRIMG_CRIU && join(dirname(process.env.CRIMG_CRIU), "crit");
    return firstThatWorks(
      [process.env.CRIMG_CRIT, beside, ...onPath("crit")],
      ["--help"],
      "no working crit by CRIMG_CRIT, beside CRIMG_CRIU or on PATH",
    );
  });
}

/** Path of a working criu; without one the running test (or suite, in a `before` hook) is skipped and says why. */
export const needCriu = (): string => need(findCriu(), "criu").path;

/** A working crit and its version; without one the running test is skipped and says why. */
export const needCrit = (): { path: string; version: string } => need(findCrit(), "crit");

function need(tool: Found, want: string): { path: string; version: string } {
  return "missing" in tool ? skip(tool.missing, tool.want ?? want) : tool;
}

function once(name: string, find: () => Found): Found {
  const known = found.get(name) ?? find();
  found.set(name, known);
  return known;
}

function onPath(name: string): string[] {
  return (process.env.PATH ?? "").split(delimiter).map((dir) => join(dir, name));
}

function firstThatWorks(candidates: (string | undefined)[], trial: string[], otherwise: string): Found {
  const reasons: string[] = [];
  for (const path of candidates) {
    if (!path || !executable(path)) continue;
    const tried = spawnSync(path, trial, { encoding: "utf8", timeout: 20_000 });
    if (tried.status === 0) {
      const version = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 20_000 });
      return { path, version: /\d+(\.\d+)+\S*/.exec(version.stdout)?.[0] ?? "unknown" };
    }
    reasons.push(`${path}: ${errorLines(tried.stderr ?? "") || `exit ${tried.status ?? tried.signal}`}`);
  }
  return { missing: [otherwise, ...reasons].join("; ") };
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Dumps the tree of `pid` into the existing directory `imagesDir`. The tree is gone afterwards, down to the last
 * zombie, so that its pids are free for a restore, unless `options` hold `--leave-running`. Throws with criu's
 * error lines when it fails.
 */
export async function dump(pid: number, imagesDir: string, options: string[] = []): Promise<void> {
  await criu(["dump", "--tree", String(pid), "--images-dir", imagesDir], `${imagesDir}.dump.log`, options);
  if (options.includes("--leave-running")) return;
  // The images tell who was in the tree: it may have changed until the moment of the dump.
  for (const name of readdirSync(imagesDir)) {
    const [, member] = /^core-(\d+)\.img$/.exec(name) ?? [];
    if (member) await gone(Number(member));
  }
}

/** Restores an image set and leaves the tree running; the root task has the pid that it had at the dump. */
export async function restore(imagesDir: string, options: string[] = []): Promise<void> {
  await criu(
    ["restore", "--images-dir", imagesDir, "--work-dir", dirname(imagesDir), "--restore-detached"],
    `${imagesDir}.restore.log`,
    options,
  );
}

async function criu(action: string[], log: string, options: string[]): Promise<void> {
  const args = [...action, "--log-file", log, "-v4", ...options];
  const child = spawn(needCriu(), args, { stdio: "ignore", timeout: 100_000, killSignal: "SIGKILL" });
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (status, signal) => resolve(status ?? signal));
  });
  if (code !== 0) throw new Error(`criu ${args.join(" ")}: exit ${code}: ${errorLines(readLog(log))}`);
}

function readLog(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "no log was written";
  }
}

// Without CAP_SYS_RESOURCE criu always says that it cannot raise its own descriptor limit, and goes on.
function errorLines(log: string): string {
  const lines = log.split("\n").filter((line) => line.includes("Error") && !line.includes("RLIMIT_NOFILE"));
  return lines.join(" / ");
}
