import { SIG_BLOCK, SIG_SETMASK, SIGTTOU } from "../../../linux/signals.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";

const MASK_BYTES = 8;

/**
 * Runs `use` while this thread blocks SIGTTOU: a terminal lets it change modes and the foreground group although it is in
 * the background, tty_ioctl(4).
 */
export function withoutStops<T>(use: () => T): T {
  const blocked = Buffer.alloc(MASK_BYTES);
  blocked.writeBigUInt64LE(1n << BigInt(SIGTTOU - 1));
  const before = Buffer.alloc(MASK_BYTES);
  call("block SIGTTOU", SYS.rt_sigprocmask, SIG_BLOCK, blocked, before, MASK_BYTES);
  try {
    return use();
  } finally {
    call("set the mask of signals", SYS.rt_sigprocmask, SIG_SETMASK, before, null, MASK_BYTES);
  }
}
