import type { Cause } from "../cause.js";

/** What the host has too little of: causes by the error of the kernel, for any step of criu. */
export const LIMIT_CAUSES: readonly Cause[] = [
  {
    id: "NO_SPACE",
    match: /^(?<step>.*): (?<error>No space left on device|Disk quota exceeded)/,
    what: "a file system is full: {error}",
    why: "criu failed at: {step}",
    mends: [{ command: "df -h", effect: "find it, and free space; or use another directory for the images" }],
  },
  {
    id: "LIMIT",
    match:
      /(?:Too many open files|: Resource temporarily unavailable|File size limit exceeded|: File too large|Can't restore cur > max|rlimit|^Dup \d+ -> \d+ failed.*: Bad file descriptor)/i,
    what: "a resource limit is too low",
    why: "criu and the tasks it restores need as many descriptors, processes and memory as at the checkpoint",
    mends: [
      { command: "crimg show {image} rlimits", effect: "show the limits of the tasks" },
      {
        command: "ulimit -a",
        effect: "show those of this shell; raise them as root, for processes also pids.max",
      },
    ],
  },
  {
    id: "NO_MEMORY",
    match:
      /(?:Cannot allocate memory|Not enough memory|Can't allocate (?:memory|\d+ bytes)|Out of memory|Unable to reserve memory|Can't (?:grow|mremap) rst mem|\bENOMEM\b|(?:failed|error|Unable).*: -12$)/,
    what: "there is not enough memory",
    why: "the tasks need as much as at the checkpoint, within the limits of their control groups and vm.overcommit_memory",
    mends: [
      { command: "crimg show {image} rss", effect: "show how much the tasks have" },
      { command: "free -m", effect: "show what is free; also see memory.max of the control group" },
    ],
  },
];
