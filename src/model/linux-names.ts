import { enumTable, type FlagTable, flagNames, flagTable } from "../io/enums.js";

/** Signals 1 to 31 by number, signal(7); the numbers of x86, ARM and most others. */
export const SIGNALS = enumTable(
  "signal",
  numbered("SIG", 1, [
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU",
    "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS",
  ]),
);

const FIRST_REALTIME = 32;
const LAST_SIGNAL = 64;

/** `SIGTERM`, `SIGRTMIN+3` (the kernel's SIGRTMIN is 32), or the number for what is no signal. */
export function signalName(signal: number): string {
  if (signal < FIRST_REALTIME || signal > LAST_SIGNAL) return SIGNALS.names.get(signal) ?? String(signal);
  return signal === FIRST_REALTIME ? "SIGRTMIN" : `SIGRTMIN+${signal - FIRST_REALTIME}`;
}

/** Names of the signals in a mask; bit n-1 is signal n, as in sigset_t. */
export function signalsIn(mask: bigint): string[] {
  const names: string[] = [];
  for (let signal = 1; signal <= LAST_SIGNAL; signal++)
    if ((mask >> BigInt(signal - 1)) & 1n) names.push(signalName(signal));
  return names;
}

/** Flags of sigaction(2), uapi/asm-generic/signal-defs.h. */
export const SIGACTION_FLAGS = flagTable("sa_flags", {
  SA_NOCLDSTOP: 1,
  SA_NOCLDWAIT: 2,
  SA_SIGINFO: 4,
  SA_UNSUPPORTED: 0x400,
  SA_EXPOSE_TAGBITS: 0x800,
  SA_RESTORER: 0x4000000,
  SA_ONSTACK: 0x8000000,
  SA_RESTART: 0x10000000,
  SA_NODEFER: 0x40000000,
  SA_RESETHAND: 0x80000000,
});

/** Where a pending signal came from, `si_code` of sigaction(2). */
export const SIGNAL_CODES = enumTable("si_code", {
  SI_USER: 0,
  SI_QUEUE: -1,
  SI_TIMER: -2,
  SI_MESGQ: -3,
  SI_ASYNCIO: -4,
  SI_SIGIO: -5,
  SI_TKILL: -6,
  SI_KERNEL: 128,
});

/** Capabilities by number, capabilities(7). */
export const CAPABILITIES = enumTable(
  "capability",
  numbered("CAP_", 0, [
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE",
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT",
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP",
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE",
  ]),
);

/** Names of the capabilities in a mask; bit n is capability n, an unknown one its number. */
export function capabilitiesIn(mask: bigint): string[] {
  const names: string[] = [];
  for (let bit = 0; mask >> BigInt(bit) !== 0n; bit++)
    if ((mask >> BigInt(bit)) & 1n) names.push(CAPABILITIES.names.get(bit) ?? String(bit));
  return names;
}

/** Flags of prctl(PR_SET_SECUREBITS), capabilities(7). */
export const SECUREBITS = flagTable("securebits", {
  SECBIT_NOROOT: 1,
  SECBIT_NOROOT_LOCKED: 2,
  SECBIT_NO_SETUID_FIXUP: 4,
  SECBIT_NO_SETUID_FIXUP_LOCKED: 8,
  SECBIT_KEEP_CAPS: 0x10,
  SECBIT_KEEP_CAPS_LOCKED: 0x20,
  SECBIT_NO_CAP_AMBIENT_RAISE: 0x40,
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED: 0x80,
});

/** Resource limits by number, getrlimit(2), each with what it counts. */
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

/** Clocks by number, clock_gettime(2). */
export const CLOCKS = enumTable("clock", {
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,
  CLOCK_PROCESS_CPUTIME_ID: 2,
  CLOCK_THREAD_CPUTIME_ID: 3,
  CLOCK_MONOTONIC_RAW: 4,
  CLOCK_REALTIME_COARSE: 5,
  CLOCK_MONOTONIC_COARSE: 6,
  CLOCK_BOOTTIME: 7,
  CLOCK_REALTIME_ALARM: 8,
  CLOCK_BOOTTIME_ALARM: 9,
  CLOCK_TAI: 11,
});

/** Options of a mount as mount(8) spells them, for the MS_ bits of mount(2). */
export const MOUNT_FLAGS = flagTable("mount_flags", {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 0x10,
  mand: 0x40,
  dirsync: 0x80,
  nosymfollow: 0x100,
  noatime: 0x400,
  nodiratime: 0x800,
  bind: 0x1000,
  silent: 0x8000,
  posixacl: 0x10000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relatime: 0x200000,
  iversion: 0x800000,
  strictatime: 0x1000000,
  lazytime: 0x2000000,
});

/** Netlink protocols by number, netlink(7). */
export const NETLINK_PROTOCOLS = enumTable("netlink_protocol", {
  ROUTE: 0,
  USERSOCK: 2,
  FIREWALL: 3,
  SOCK_DIAG: 4,
  NFLOG: 5,
  XFRM: 6,
  SELINUX: 7,
  ISCSI: 8,
  AUDIT: 9,
  FIB_LOOKUP: 10,
  CONNECTOR: 11,
  NETFILTER: 12,
  IP6_FW: 13,
  KOBJECT_UEVENT: 15,
  GENERIC: 16,
  SCSITRANSPORT: 18,
  RDMA: 20,
  CRYPTO: 21,
  SMC: 22,
});

const ACCESS_MODE = 3;
const ACCESS_NAMES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"] as const;

/** Open flags but the access mode, open(2); those of several bits first. */
const COMMON_OPEN_FLAGS = {
  O_SYNC: 0x101000,
  O_CREAT: 0x40,
  O_EXCL: 0x80,
  O_NOCTTY: 0x100,
  O_TRUNC: 0x200,
  O_APPEND: 0x400,
  O_NONBLOCK: 0x800,
  O_DSYNC: 0x1000,
  O_ASYNC: 0x2000,
  O_NOATIME: 0x40000,
  O_CLOEXEC: 0x80000,
  O_PATH: 0x200000,
};

const GENERIC_OPEN_FLAGS = flagTable("open_flags", {
  O_TMPFILE: 0x410000,
  ...COMMON_OPEN_FLAGS,
  O_DIRECT: 0x4000,
  O_LARGEFILE: 0x8000,
  O_DIRECTORY: 0x10000,
  O_NOFOLLOW: 0x20000,
});

const ARM_OPEN_FLAGS = flagTable("open_flags", {
  O_TMPFILE: 0x404000,
  ...COMMON_OPEN_FLAGS,
  O_DIRECTORY: 0x4000,
  O_NOFOLLOW: 0x8000,
  O_DIRECT: 0x10000,
  O_LARGEFILE: 0x20000,
});

const POWER_OPEN_FLAGS = flagTable("open_flags", {
  O_TMPFILE: 0x404000,
  ...COMMON_OPEN_FLAGS,
  O_DIRECTORY: 0x4000,
  O_NOFOLLOW: 0x8000,
  O_LARGEFILE: 0x10000,
  O_DIRECT: 0x20000,
});

/** Architectures whose numbers for open flags are not the generic ones; for those of MIPS there are no names here. */
const OPEN_FLAGS_OF: Readonly<Record<string, FlagTable>> = {
  armv7l: ARM_OPEN_FLAGS,
  aarch64: ARM_OPEN_FLAGS,
  ppc64le: POWER_OPEN_FLAGS,
  mips64: flagTable("open_flags", {}),
};

/** Names of the open flags of a task of that architecture (`uname -m`): the access mode first, then the others. */
export function openFlagNames(flags: number, architecture: string): string[] {
  const others = OPEN_FLAGS_OF[architecture] ?? GENERIC_OPEN_FLAGS;
  const access = ACCESS_NAMES[flags & ACCESS_MODE] as string;
  return [access, ...flagNames(others, (flags & ~ACCESS_MODE) >>> 0)];
}

function numbered(prefix: string, first: number, lines: readonly string[]): Record<string, number> {
  const names = lines.join(" ").split(" ");
  return Object.fromEntries(names.map((name, at) => [prefix + name, first + at]));
}
