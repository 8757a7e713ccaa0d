/** Types of POSIX and OFD locks and of leases, include/uapi/asm-generic/fcntl.h, fcntl(2). */
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
/** Or-ed to the type that a lease must become while it is being broken: F_INPROGRESS of Linux 2.6. */
export const F_INPROGRESS = 16;

/** Kinds of locks in fl_flags, include/linux/fs.h. An OFD lock is a POSIX lock with FL_OFDLCK. */
export const FL_POSIX = 1;
export const FL_FLOCK = 2;
export const FL_LEASE = 32;
export const FL_OFDLCK = 1024;

/** Seconds until a lease is broken by force: the default of /proc/sys/fs/lease-break-time, fs/locks.c. */
export const LEASE_BREAK_TIME = 45;

/** Last byte of a lock that reaches to the end of the file, include/linux/fs.h. */
export const OFFSET_MAX = 0x7fff_ffff_ffff_ffffn;
