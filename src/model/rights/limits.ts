import fs from "node:fs";
import { RESOURCE_LIMITS, RLIM_INFINITY } from "../../linux/rlimits.js";

/** Where the values begin in a line of /proc/PID/limits. */
const LIMIT_COLUMN = 26;

/** Hard limits that the kernel gives to init, include/asm-generic/resource.h, where root may have more without need. */
const OF_INIT: Readonly<Record<string, bigint>> = {
  RLIMIT_MEMLOCK: 8n << 20n,
  RLIMIT_MSGQUEUE: 819_200n,
  // Up to 20 the nice value stays at 0 or above.
  RLIMIT_NICE: 20n,
  RLIMIT_RTPRIO: 0n,
};

/** The highest hard limit of each resource that takes no CAP_SYS_RESOURCE: that of init, or of the caller itself. */
export function hardLimits(): readonly (readonly [name: string, most: bigint])[] {
  const own = ownHardLimits();
  return RESOURCE_LIMITS.map(([name], number) => [name, OF_INIT[name] ?? own[number] ?? RLIM_INFINITY]);
}

/** By the number of the limit, proc_pid_limits(5). */
function ownHardLimits(): bigint[] {
  const [, ...lines] = fs.readFileSync("/proc/self/limits", "latin1").trimEnd().split("\n");
  return lines.map((line) => {
    const hard = /(\S+)\s+(\S+)\s*[a-z]*\s*$/.exec(line.slice(LIMIT_COLUMN))?.[2];
    return hard === undefined || hard === "unlimited" ? RLIM_INFINITY : BigInt(hard);
  });
}
