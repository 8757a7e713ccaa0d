/**
 * Times whole processes: crimg beside its peers, in turn, on the sets of bench/sets.sh and the streams of
 * bench/streams.ts.
 *
 *     CRIMG_CRIU=… npm run bench [-- NAME...]
 *
 * Peers are found by CRIMG_CRIT (crit of criu) and CRIMG_GO_CRIT (crit of go-criu) and left out without them. Wall
 * seconds are medians of CRIMG_BENCH_RUNS (5) runs after one that does not count; MiB is the largest peak memory.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CASES, type Case, type Peers } from "./cases.js";

const here = dirname(fileURLToPath(import.meta.url));
const runs = Number(process.env.CRIMG_BENCH_RUNS ?? 5);

interface Measured {
  readonly seconds: number;
  readonly mebibytes: number;
}

function main(): void {
  const wanted = process.argv.slice(2);
  const sets = execFileSync(join(here, "sets.sh"), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  }).trim();
  const streams = [join(here, "streams.ts"), sets, process.env.CRIMG_BENCH_SCALE ?? "1"];
  execFileSync(process.execPath, ["--import", "tsx", ...streams], { stdio: "inherit" });
  const scratch = mkdtempSync(join(tmpdir(), "crimg-bench-"));
  const peers: Peers = {
    crimg: [process.execPath, join(here, "..", "bin", "run.js")],
    crit: command(process.env.CRIMG_CRIT ?? beside(process.env.CRIMG_CRIU)),
    goCrit: command(process.env.CRIMG_GO_CRIT),
    node: [process.execPath],
  };
  try {
    for (const each of CASES)
      if (wanted.length === 0 || wanted.includes(each.name))
        report(each, measure(each, peers, sets, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function beside(criu: string | undefined): string | undefined {
  return criu === undefined ? undefined : join(dirname(criu), "crit");
}

function command(path: string | undefined): string[] | undefined {
  return path !== undefined && existsSync(path) ? [path] : undefined;
}

/** Runs the competitors in turn, so that what else the machine does hits all of them. */
function measure(each: Case, peers: Peers, sets: string, scratch: string): Map<string, Measured> {
  const find = (set: string, prefix: string): string => {
    const file = readdirSync(join(sets, set)).find((name) => name.startsWith(prefix));
    if (file === undefined) throw new Error(`the set ${set} has no file ${prefix}…`);
    return join(sets, set, file);
  };
  const competitors = Object.entries(each.commands({ peers, sets, scratch, find })).filter(
    ([, steps]) => steps !== undefined,
  );
  const samples = new Map<string, Measured[]>(competitors.map(([name]) => [name, []]));
  for (let run = 0; run <= runs; run++)
    for (const [name, steps] of competitors) {
      each.prepare?.(scratch);
      const sample = (steps as string[][]).map(time).reduce((a, b) => ({
        seconds: a.seconds + b.seconds,
        mebibytes: Math.max(a.mebibytes, b.mebibytes),
      }));
      if (run > 0) samples.get(name)?.push(sample);
    }
  return new Map([...samples].map(([name, list]) => [name, summary(list)]));
}

/** One process, from its start to its end. GNU time tells the peak memory. */
function time(argv: string[]): Measured {
  const started = process.hrtime.bigint();
  const child = spawnSync("/usr/bin/time", ["-f", "%M", ...argv], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const kibibytes = Number(child.stderr.trim().split("\n").at(-1));
  if (child.error !== undefined || (child.status ?? 2) > 1 || Number.isNaN(kibibytes))
    throw new Error(`${argv.join(" ")} ended with ${child.status}: ${child.stderr}`);
  return { seconds, mebibytes: kibibytes / 1024 };
}

function summary(list: readonly Measured[]): Measured {
  const sorted = list.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return {
    seconds: sorted[Math.floor(sorted.length / 2)] as number,
    mebibytes: Math.max(...list.map(({ mebibytes }) => mebibytes)),
  };
}

function report({ name, goals = [] }: Case, results: Map<string, Measured>): void {
  const shown = [...results].map(
    ([who, { seconds, mebibytes }]) => `${who} ${seconds.toFixed(3)} s ${mebibytes.toFixed(0)} MiB`,
  );
  console.log(`${name}: ${shown.join(" | ")}`);
  const ours = results.get("crimg");
  if (ours === undefined) return;
  for (const goal of goals) {
    if ("mebibytes" in goal)
      verdict(
        `${ours.mebibytes.toFixed(0)} MiB`,
        ours.mebibytes <= goal.mebibytes,
        `<= ${goal.mebibytes} MiB`,
      );
    else if ("seconds" in goal)
      verdict(`${ours.seconds.toFixed(2)} s`, ours.seconds <= goal.seconds, `<= ${goal.seconds} s`);
    else {
      const peer = results.get(goal.of);
      if (peer === undefined) console.log(`    ${goal.of} is not here: no ratio`);
      else
        verdict(
          `${(ours.seconds / peer.seconds).toFixed(2)} x ${goal.of}`,
          ours.seconds / peer.seconds <= goal.ratio,
          `<= ${goal.ratio} x`,
        );
    }
  }
}

function verdict(measured: string, isMet: boolean, goal: string): void {
  console.log(`    ${measured} (goal ${goal}): ${isMet ? "met" : "NOT met"}`);
}

main();
