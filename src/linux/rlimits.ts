/** Resource limits by number, include/uapi/asm-generic/resource.h, getrlimit(2), each with its unit. */
export const RESOURCE_LIMITS: readonly (readonly [name: string, unit: "bytes" | "seconds" | "us" | ""])[] = [
  ["RLIMIT_CPU", "seconds"],
  ["RLIMIT_FSIZE", "bytes"],
  ["RLIMIT_DATA", "bytes"],
  ["RLIMIT_STACK", "bytes"],
  ["RLIMIT_CORE", "bytes"],
  ["RLIMIT_RSS", "bytes"],
  ["RLIMIT_NPROC", ""],
  ["RLIMIT_NOFILE", ""],
  ["RLIMIT_MEMLOCK", "bytes"],
  ["RLIMIT_AS", "bytes"],
  ["RLIMIT_LOCKS", ""],
  ["RLIMIT_SIGPENDING", ""],
  ["RLIMIT_MSGQUEUE", "bytes"],
  ["RLIMIT_NICE", ""],
  ["RLIMIT_RTPRIO", ""],
  ["RLIMIT_RTTIME", "us"],
];

export const RLIM_NLIMITS = RESOURCE_LIMITS.length;
export const RLIMIT_NOFILE = RESOURCE_LIMITS.findIndex(([name]) => name === "RLIMIT_NOFILE");
/** No limit. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
