import { readFileSync, writeFileSync } from "node:fs";
import { isCrimgError } from "../../src/io/errors.js";
import { Broken, type Operation } from "./family.js";

const MIB = 1024 * 1024;
export const MAX_SECONDS = 5;
export const MAX_BYTES = 256 * MIB;
/** A path of 4,096 bytes may be told twice, each byte escaped. */
const MAX_MESSAGE = 40_000;
const SHOWN_FRAMES = 8;

/** Why an operation did not end as promised; undefined for a value or a whole error of crimg within the limits. */
export async function attempt({ run }: Operation): Promise<string | undefined> {
  const before = residentBytes();
  const { user, system } = process.cpuUsage();
  let wrong: string | undefined;
  try {
    await run();
  } catch (error) {
    wrong = faultOf(error);
  }
  const used = process.cpuUsage();
  const seconds = (used.user - user + used.system - system) / 1e6;
  const bytes = peakBytes() - before;
  if (wrong === undefined && seconds > MAX_SECONDS) return `slow: ${seconds.toFixed(1)} s of CPU`;
  if (wrong === undefined && bytes > MAX_BYTES) return `large: ${Math.round(bytes / MIB)} MiB more`;
  return wrong;
}

function faultOf(error: unknown): string | undefined {
  if (isCrimgError(error)) {
    const { message } = error;
    return message.length > MAX_MESSAGE
      ? `an error of ${message.length} characters: ${message.slice(0, 200)}`
      : undefined;
  }
  if (error instanceof Broken) return `broken: ${error.message}`;
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const [first, ...frames] = (error.stack ?? String(error)).split("\n");
  return [first, ...frames.filter((line) => !line.includes("node:internal")).slice(0, SHOWN_FRAMES)].join(
    "\n",
  );
}

/** Starts the count of the peak anew; gives what the process has now. */
function residentBytes(): number {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // the peak is that of the whole process then
  }
  return statusBytes("VmRSS");
}

function peakBytes(): number {
  return statusBytes("VmHWM");
}

function statusBytes(key: string): number {
  const [, kib] = new RegExp(`${key}:\\s*(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib ?? 0) * 1024;
}
