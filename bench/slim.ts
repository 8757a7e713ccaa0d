/**
 * Times checkpoint and restore of crimg's own engine beside criu, in turn, as whole processes: 1 GiB of contiguous pages,
 * as many single pages, and a small program.
 *
 *     CRIMG_CRIU=… node --import tsx bench/slim.ts [NAME...]
 *
 * Needs root. Wall seconds are medians of CRIMG_BENCH_RUNS (5) runs after one that does not count; user and system
 * seconds beside them show what a busy machine adds. CRIMG_BENCH_SCALE=10 takes a tenth of the pages.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

interface Subject {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Most times the wall seconds of criu, or most seconds of crimg. */
  readonly goals: { readonly checkpoint: Goal; readonly restore: Goal };
}

type Goal = { readonly ratio: number } | { readonly seconds: number };

const here = dirname(fileURLToPath(import.meta.url));
const crimg = [process.execPath, process.env.CRIMG_PROGRAM ?? join(here, "..", "bin", "run.js")];
const criu = process.env.CRIMG_CRIU ?? "criu";
const runs = Number(process.env.CRIMG_BENCH_RUNS ?? 5);
const scale = Number(process.env.CRIMG_BENCH_SCALE ?? 1);
const large = { checkpoint: { ratio: 1.5 }, restore: { ratio: 1.25 } };
const small = { checkpoint: { seconds: 0.15 }, restore: { seconds: 0.15 } };

const SUBJECTS: readonly Subject[] = [
  { name: "small", program: "mem1g", args: ["1"], goals: small },
  { name: "1 GiB contiguous", program: "mem1g", args: [String(Math.round(1024 / scale))], goals: large },
  { name: "262,144 single pages", program: "frag", args: [String(Math.round(262144 / scale))], goals: large },
];

/** What an engine does with a process, and how it takes it back. */
const ENGINES = {
  criu: {
    checkpoint: (pid: number, to: string) => [criu, "dump", "-t", String(pid), "-D", to, "-o", "dump.log"],
    restore: (from: string) => [criu, "restore", "-d", "-D", from, "-o", "restore.log"],
  },
  crimg: {
    checkpoint: (pid: number, to: string) => [
      ...crimg,
      "checkpoint",
      String(pid),
      "-o",
      join(to, "image.ckpt"),
    ],
    restore: (from: string) => [
      ...crimg,
      "restore",
      join(from, "image.ckpt"),
      "--backend",
      "slim",
      "--detach",
    ],
  },
} as const;

type Engine = keyof typeof ENGINES;

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const scratch = mkdtempSync(join(tmpdir(), "crimg-bench-"));
  try {
    for (const subject of SUBJECTS)
      if (wanted.length === 0 || wanted.includes(subject.name))
        report(subject, await measure(subject, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

type Samples = Record<"checkpoint" | "restore", Record<Engine, Sample[]>>;

/** The engines take turns, so that what else the machine does hits both. */
async function measure({ program, args }: Subject, scratch: string): Promise<Samples> {
  const binary = join(scratch, program);
  if (!existsSync(binary))
    execFileSync("gcc", [
      "-std=gnu11",
      "-static",
      "-O2",
      "-o",
      binary,
      join(here, "programs", `${program}.c`),
    ]);
  const samples: Samples = { checkpoint: { criu: [], crimg: [] }, restore: { criu: [], crimg: [] } };
  for (let run = 0; run <= runs; run++)
    for (const engine of ["criu", "crimg"] as const) {
      const { checkpoint, restore } = await once(engine, binary, args, scratch);
      if (run === 0) continue;
      samples.checkpoint[engine].push(checkpoint);
      samples.restore[engine].push(restore);
    }
  return samples;
}

async function once(
  engine: Engine,
  binary: string,
  args: readonly string[],
  scratch: string,
): Promise<{ checkpoint: Sample; restore: Sample }> {
  const images = join(scratch, "images");
  mkdirSync(images);
  const pid = await start(binary, args, scratch);
  try {
    const checkpoint = time(ENGINES[engine].checkpoint(pid, images));
    while (existsSync(`/proc/${pid}`)) await sleep(5);
    const restore = time(ENGINES[engine].restore(images));
    if (!existsSync(`/proc/${pid}`)) throw new Error(`${engine} has not restored process ${pid}`);
    return { checkpoint, restore };
  } finally {
    spawnSync("kill", ["-KILL", String(pid)]);
    while (existsSync(`/proc/${pid}`)) await sleep(5);
    rmSync(images, { recursive: true });
  }
}

/** A process in a session of its own, with no descriptor of ours, once it has filled its memory. */
async function start(binary: string, args: readonly string[], scratch: string): Promise<number> {
  const ready = join(scratch, "ready");
  rmSync(ready, { force: true });
  const starter = join(here, "..", "test", "support", "start.sh");
  const { pid } = spawn(starter, [ready, binary, ...args], { detached: true, stdio: "ignore", cwd: "/" });
  if (pid === undefined) throw new Error(`cannot start ${binary}`);
  while (!(existsSync(ready) && readFileSync(ready, "utf8").includes("ready"))) await sleep(20);
  return pid;
}

/** One process, from its start to its end. */
function time(argv: readonly string[]): Sample {
  const started = process.hrtime.bigint();
  const child = spawnSync("/usr/bin/time", ["-f", "%U %S", ...argv], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  const wall = Number(process.hrtime.bigint() - started) / 1e9;
  if (child.status !== 0) throw new Error(`${argv.join(" ")} ended with ${child.status}: ${child.stderr}`);
  const [user = 0, system = 0] = (child.stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { wall, cpu: user + system };
}

function report({ name, goals }: Subject, samples: Samples): void {
  for (const action of ["checkpoint", "restore"] as const) {
    const [peer, ours] = [median(samples[action].criu), median(samples[action].crimg)];
    const goal = goals[action];
    const isMet = "ratio" in goal ? ours.wall / peer.wall <= goal.ratio : ours.wall <= goal.seconds;
    const wanted = "ratio" in goal ? `${goal.ratio} x criu` : `${goal.seconds} s`;
    console.log(
      `${action} of ${name}: crimg ${text(ours)} | criu ${text(peer)} | ${(ours.wall / peer.wall).toFixed(2)} x (goal <= ${wanted}): ${isMet ? "met" : "NOT met"}`,
    );
  }
}

function text({ wall, cpu }: Sample): string {
  return `${wall.toFixed(3)} s (${cpu.toFixed(2)} s of processor)`;
}

function median(list: readonly Sample[]): Sample {
  const middle = (of: (sample: Sample) => number): number =>
    list.map(of).sort((a, b) => a - b)[Math.floor(list.length / 2)] as number;
  return { wall: middle(({ wall }) => wall), cpu: middle(({ cpu }) => cpu) };
}

await main();
