import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { CRIMG } from "./cli.js";

/** Random numbers in [0, 1) that are the same for the same seed: mulberry32. */
export function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All in a random order. */
export function shuffled<T>(all: readonly T[], random: () => number): T[] {
  return all
    .map((each) => ({ each, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

export interface Ended {
  /** Undefined when it was killed before it ended by itself. */
  readonly code: number | undefined;
  readonly milliseconds: number;
  readonly output: string;
}

/** Runs crimg and sends it SIGKILL after so many milliseconds, which may be infinite, unless it has ended. */
export function crimgKilledAfter(
  args: readonly string[],
  milliseconds: number,
  { cwd }: { readonly cwd?: string } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [CRIMG, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", NO_COLOR: "1" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString("utf8");
      });
    if (Number.isFinite(milliseconds)) void sleep(milliseconds).then(() => child.kill("SIGKILL"));
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      child.stdout.destroy();
      child.stderr.destroy();
      if (signal !== null && signal !== "SIGKILL") reject(new Error(`crimg ended by ${signal}: ${output}`));
      else resolve({ code: code ?? undefined, milliseconds: performance.now() - started, output });
    });
  });
}

/**
 * Moments of `kills` kills, in random order: one somewhere in each of as many equal parts of [from, to) milliseconds, so
 * that none of the time is left out.
 */
export function moments(kills: number, from: number, to: number, random: () => number): number[] {
  const all = Array.from({ length: kills }, (_, i) => from + ((i + random()) / kills) * (to - from));
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as number, all[i] as number];
  }
  return all;
}

/** State letters of all threads of a process, proc_pid_stat(5); none when it is gone. */
export function threadStates(pid: number, tids: readonly number[]): string {
  return tids.map((tid) => stateOf(`/proc/${pid}/task/${tid}/stat`)).join("");
}

function stateOf(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    return text.slice(text.lastIndexOf(")") + 2)[0] ?? "";
  } catch {
    return "";
  }
}
