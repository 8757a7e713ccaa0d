/** Error numbers, include/uapi/asm-generic/errno-base.h and errno.h, errno(3). */
export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EEXIST = 17;
export const EXDEV = 18;
export const EINVAL = 22;
export const ENOTTY = 25;
export const ENOTCONN = 107;

/** Kernel-internal return values of an interrupted system call, include/linux/errno.h. */
export const ERESTARTSYS = 512;
export const ERESTARTNOINTR = 513;
export const ERESTARTNOHAND = 514;
export const ERESTART_RESTARTBLOCK = 516;
