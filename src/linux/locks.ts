/** Types of POSIX and OFD locks and of leases, include/uapi/asm-generic/fcntl.h, fcntl(2). */
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
/** Or-ed to the target type of a breaking lease: F_INPROGRESS of Linux 2.6. */
export const F_INPROGRESS = 16;

/** Kinds of locks in fl_flags, include/linux/fs.h. An OFD lock is a POSIX lock with FL_OFDLCK. */
export const FL_POSIX = 1;
export const FL_FLOCK = 2;
export const FL_LEASE = 32;
export const FL_OFDLCK = 1024;

/** Operations of flock(2), include/uapi/asm-generic/fcntl.h. */
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_MAND = 32;

/** Seconds until a lease is forcibly broken: the default of /proc/sys/fs/lease-break-time, fs/locks.c. */
export const LEASE_BREAK_TIME = 45;
