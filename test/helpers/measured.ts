import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CliResult, crimg, preloading } from "./cli.js";
import { freshDirectory } from "./live.js";

const PEAK = fileURLToPath(new URL("peak.cjs", import.meta.url));

/** What a run of the program cost; both are infinite when it was killed. */
export interface Measured extends CliResult {
  readonly mebibytes: number;
  /** Of the processor, user and system: time on the wall says little on a busy machine. */
  readonly cpuSeconds: number;
}

/** Bounds of memory, and of processor time on a machine that does nothing else. */
export const MAX_MEBIBYTES = 256;
const MAX_CPU_SECONDS = 5;

/** Beside other work, which shares caches and the two threads of a core, the same run takes up to twice as long. */
export function maxCpuSeconds(): number {
  const isBusy = (loadavg()[0] as number) > availableParallelism();
  return isBusy ? 2 * MAX_CPU_SECONDS : MAX_CPU_SECONDS;
}

/** Runs the real `crimg` and measures its peak of memory (resident) and its processor time. */
export async function measured(args: readonly string[], seconds = 60): Promise<Measured> {
  const peak = join(freshDirectory("peak"), "peak.json");
  const result = await crimg(args, {
    env: { NODE_OPTIONS: preloading(PEAK), CRIMG_TEST_PEAK: peak },
    seconds,
    discard: true,
  });
  if (result.signal !== null) return { ...result, mebibytes: Infinity, cpuSeconds: Infinity };
  const { bytes, cpuSeconds } = JSON.parse(readFileSync(peak, "utf8"));
  return { ...result, mebibytes: bytes / 2 ** 20, cpuSeconds };
}
