import { type FlagTable, flagNames, flagTable } from "../io/enums.js";

/** Access mode of open(2), include/uapi/asm-generic/fcntl.h. */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
const ACCESS_NAMES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"] as const;

/** Flags of open(2) with equal numbers on x86, ARM and Power, include/uapi/asm-generic/fcntl.h. */
export const O_CREAT = 0x40;
export const O_EXCL = 0x80;
export const O_NOCTTY = 0x100;
export const O_TRUNC = 0x200;
export const O_APPEND = 0x400;
export const O_NONBLOCK = 0x800;
export const O_DSYNC = 0x1000;
/** FASYNC in the kernel. */
export const O_ASYNC = 0x2000;
export const O_NOATIME = 0x40000;
export const O_CLOEXEC = 0x80000;
/** With O_DSYNC it is O_SYNC. */
export const __O_SYNC = 0x100000;
export const O_PATH = 0x200000;
/** With O_DIRECTORY it is O_TMPFILE. */
export const __O_TMPFILE = 0x400000;

/** Flags whose numbers depend on the architecture; numbers of x86. */
export const O_DIRECT = 0x4000;
export const O_LARGEFILE = 0x8000;
export const O_DIRECTORY = 0x10000;
export const O_NOFOLLOW = 0x20000;
export const O_PATH_DIRECTORY = O_PATH | O_DIRECTORY;
export const O_TMPFILE = __O_TMPFILE | O_DIRECTORY;

/** Open flags except the access mode, those of several bits first. */
const COMMON = {
  O_SYNC: __O_SYNC | O_DSYNC,
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_TRUNC,
  O_APPEND,
  O_NONBLOCK,
  O_DSYNC,
  O_ASYNC,
  O_NOATIME,
  O_CLOEXEC,
  O_PATH,
};

/** Open flags of x86 except the access mode. */
export const OPEN_FLAGS = flagTable("open_flags", {
  O_TMPFILE,
  ...COMMON,
  O_DIRECT,
  O_LARGEFILE,
  O_DIRECTORY,
  O_NOFOLLOW,
});

const ARM = flagTable("open_flags", {
  O_TMPFILE: 0x404000,
  ...COMMON,
  O_DIRECTORY: 0x4000,
  O_NOFOLLOW: 0x8000,
  O_DIRECT: 0x10000,
  O_LARGEFILE: 0x20000,
});

const POWER = flagTable("open_flags", {
  O_TMPFILE: 0x404000,
  ...COMMON,
  O_DIRECTORY: 0x4000,
  O_NOFOLLOW: 0x8000,
  O_LARGEFILE: 0x10000,
  O_DIRECT: 0x20000,
});

/** Architectures with other numbers of open flags than the generic ones; there are no names for those of MIPS. */
const OPEN_FLAGS_OF: Readonly<Record<string, FlagTable>> = {
  armv7l: ARM,
  aarch64: ARM,
  ppc64le: POWER,
  mips64: flagTable("open_flags", {}),
};

/** Names of the open flags of a task of that architecture (`uname -m`): the access mode first, then the others. */
export function openFlagNames(flags: number, architecture: string): string[] {
  const others = OPEN_FLAGS_OF[architecture] ?? OPEN_FLAGS;
  const access = ACCESS_NAMES[flags & O_ACCMODE] as string;
  return [access, ...flagNames(others, (flags & ~O_ACCMODE) >>> 0)];
}

/** Flags that open(2) takes and fcntl(2) F_GETFL never gives. */
export const ONLY_AT_OPEN = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
