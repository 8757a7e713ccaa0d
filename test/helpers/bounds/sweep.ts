import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CRIMG } from "../cli.js";
import { freshDirectory } from "../live.js";
import { MAX_MEBIBYTES, maxCpuSeconds, measured } from "../measured.js";
import type { HostileInput } from "./build.js";
import type { Way } from "./commands.js";

/** What a run in a process that has run others costs at most to be believed; above it runs again in one of its own. */
const SUSPECT = { mebibytes: 190, cpuSeconds: 3 };
/** A run that takes so long hangs. */
const HANGS_SECONDS = 90;

const WORKER = fileURLToPath(new URL("../in-process.cjs", import.meta.url));

/** What one command over one input cost. */
export interface Cost {
  readonly input: string;
  readonly command: string;
  readonly mebibytes: number;
  readonly cpuSeconds: number;
  /** What ended wrong besides: a crash, a status that no command has. */
  readonly fault?: string;
}

export const isBeyond = ({ mebibytes, cpuSeconds, fault }: Cost): boolean =>
  mebibytes > MAX_MEBIBYTES || cpuSeconds > maxCpuSeconds() || fault !== undefined;

/**
 * Runs every way over an input in one process, which saves the start of each; a command that comes near a bound, or ended
 * badly, runs again by itself and counts as that.
 */
export async function sweep(input: HostileInput, ways: readonly Way[]): Promise<Cost[]> {
  const directory = freshDirectory("sweep");
  try {
    const image = input.make(directory);
    const scratch = (i: number): string => {
      const path = join(directory, `scratch-${i}`);
      mkdirSync(path, { recursive: true });
      return path;
    };
    const lines = ways.map(({ args }, i) => args(image, scratch(i), input.image));
    const runs = await runTogether(lines);
    const costs: Cost[] = [];
    for (const [i, { name }] of ways.entries()) {
      const run = runs[i];
      const cost = {
        input: input.name,
        command: name,
        ...(run ?? { mebibytes: Infinity, cpuSeconds: Infinity }),
      };
      const isSuspect =
        cost.mebibytes > SUSPECT.mebibytes ||
        cost.cpuSeconds > SUSPECT.cpuSeconds ||
        cost.fault !== undefined;
      costs.push(
        isSuspect ? { input: input.name, command: name, ...(await runAlone(lines[i] as string[])) } : cost,
      );
    }
    return costs;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Run = Pick<Cost, "mebibytes" | "cpuSeconds" | "fault">;

async function runAlone(args: readonly string[]): Promise<Run> {
  const { code, stderr, mebibytes, cpuSeconds } = await measured(args, 120);
  return { mebibytes, cpuSeconds, ...faultOf(code, stderr) };
}

function faultOf(code: number | null, stderr: string): { fault?: string } {
  const isSound = (code === 0 || code === 1 || code === 2) && !/internal error|\n {4}at /.test(stderr);
  return isSound ? {} : { fault: `exit ${code}: ${stderr.slice(0, 400)}` };
}

/** The runs by their number; none for those that were not reached. */
async function runTogether(lines: readonly (readonly string[])[]): Promise<(Run | undefined)[]> {
  const runs: (Run | undefined)[] = [];
  while (runs.length < lines.length) {
    const done = await runBatch(lines.slice(runs.length));
    runs.push(...done);
    // The one that ended the process.
    if (runs.length < lines.length) runs.push(undefined);
  }
  return runs;
}

function runBatch(lines: readonly (readonly string[])[]): Promise<Run[]> {
  const file = join(freshDirectory("lines"), "lines.json");
  writeFileSync(file, JSON.stringify(lines));
  const child = spawn(process.execPath, ["--expose-gc", WORKER, dirname(CRIMG), file], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "80", CRIMG_OWNER: "0" },
  });
  const runs: { code: number; bytes: number; cpuSeconds: number }[] = [];
  let stderr = "";
  const silence = (): NodeJS.Timeout => setTimeout(() => child.kill("SIGKILL"), HANGS_SECONDS * 1000);
  let timer = silence();
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdio[3] as NodeJS.ReadableStream }).on("line", (line) => {
    clearTimeout(timer);
    timer = silence();
    runs.push(JSON.parse(line));
  });
  return new Promise((done) => {
    child.on("close", () => {
      clearTimeout(timer);
      rmSync(dirname(file), { recursive: true });
      const told = stderr.split(/\0\d+\n/).slice(1);
      done(
        runs.map(({ code, bytes, cpuSeconds }, i) => ({
          mebibytes: bytes / 2 ** 20,
          cpuSeconds,
          ...faultOf(code, told[i] ?? ""),
        })),
      );
    });
  });
}

/** A table of the costs, the largest first. */
export function costLines(costs: readonly Cost[]): string[] {
  return costs
    .toSorted((a, b) => b.mebibytes - a.mebibytes)
    .map(
      ({ input, command, mebibytes, cpuSeconds, fault = "" }) =>
        `${mebibytes.toFixed(0).padStart(5)} MiB ${cpuSeconds.toFixed(1).padStart(5)} s  ${command}: ${input} ${fault}`,
    );
}
