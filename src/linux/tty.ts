import { range } from "../io/domains.js";

/** ioctl(2) of terminals, include/uapi/asm-generic/ioctls.h, ioctl_tty(2). */
export const TCXONC = 0x540a;
export const TIOCEXCL = 0x540c;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const FIONREAD = 0x541b;
export const TIOCPKT = 0x5420;
export const TCGETS2 = 0x802c_542a;
export const TCSETS2 = 0x402c_542b;
export const TIOCGPTN = 0x8004_5430;
export const TIOCSPTLCK = 0x4004_5431;
export const TIOCGDEV = 0x8004_5432;
export const TIOCGPKT = 0x8004_5438;
export const TIOCGPTLCK = 0x8004_5439;
export const TIOCGEXCL = 0x8004_5440;
export const TIOCGPTPEER = 0x5441;
export const TIOCGLCKTRMIOS = 0x5456;
export const TIOCSLCKTRMIOS = 0x5457;

/** Arguments of TCXONC, include/uapi/asm-generic/termbits-common.h. */
export const TCOOFF = 0;
export const TCOON = 1;

/** Bits of c_lflag and c_iflag, include/uapi/asm-generic/termbits.h, termios(3). */
export const ICANON = 2;
export const ECHO = 8;
export const IEXTEN = 0o100000;
export const IXON = 0o2000;

/** Rows and columns of a window, struct winsize of include/uapi/asm-generic/termios.h. */
export const WINDOW_CELLS = range(0, 0xffff);

/** Drivers of terminals, include/linux/tty_driver.h. */
export const TTY_DRIVER_TYPE_PTY = 4;
export const PTY_TYPE_MASTER = 1;
export const PTY_TYPE_SLAVE = 2;

/** Bits of the flags of a terminal, include/linux/tty.h. */
export const TTY_OTHER_CLOSED = 1n << 2n;
export const TTY_HUPPED = 1n << 18n;

/** Size of the buffer of unread input, include/linux/tty.h. */
export const N_TTY_BUF_SIZE = 4096;

/** Device numbers of pseudo terminals, Documentation/admin-guide/devices.txt. */
export const PTMX_RDEV = 0x502;
export const UNIX98_PTY_SLAVE_MAJOR = 136;
/** Majors that slaves had when a major had no more minors, and how many those were. */
const MAX_SLAVE_MAJOR = UNIX98_PTY_SLAVE_MAJOR + 7;
const OF_AN_OLD_MAJOR = 256;

/** N of /dev/pts/N by a device number as stat(2) gives it; undefined for what is no slave of a pseudo terminal. */
export function slaveIndex(rdev: number): number | undefined {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  if (major < UNIX98_PTY_SLAVE_MAJOR || major > MAX_SLAVE_MAJOR) return undefined;
  return (major - UNIX98_PTY_SLAVE_MAJOR) * OF_AN_OLD_MAJOR + minor;
}

/** The device number of /dev/pts/N. */
export function slaveDevice(index: number): number {
  return (((index & 0xfff00) << 12) | (UNIX98_PTY_SLAVE_MAJOR << 8) | (index & 0xff)) >>> 0;
}
