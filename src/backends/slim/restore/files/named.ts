import { BackendError } from "../../../../io/errors.js";
import { textToBytes } from "../../../../io/text.js";
import { EAGAIN } from "../../../../linux/errno.js";
import { AT_FDCWD, F_SETFL } from "../../../../linux/files.js";
import { O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_PATH } from "../../../../linux/open-flags.js";
import { SYS } from "../../sys/abi-x64.js";
import { KernelError } from "../../sys/kernel-error.js";
import { attempt, call } from "../../sys/syscall.js";
import type { OpenFileRecord } from "./open-files.js";

/** O_CREAT, O_EXCL, O_TRUNC: a restart opens what is there and makes nothing. */
const OPEN_ONCE = 0o100 | 0o200 | 0o1000;

/**
 * Opens a file or directory by its path, with the flags that it had; a lease of somebody else is not waited for.
 * Errors: BackendError naming the path.
 */
export function openNamed({ path = "", value }: OpenFileRecord): number {
  const flags = value.f_flags & ~OPEN_ONCE;
  const fd = attempt(SYS.openat, AT_FDCWD, cString(path), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd === -EAGAIN)
    throw new BackendError(
      `cannot open ${path}: another process has a lease on it, and has been told to give it up`,
    );
  if (fd < 0) throw new KernelError(`open ${path}`, -fd);
  if ((flags & (O_NONBLOCK | O_PATH)) === 0) call(`set the flags of ${path}`, SYS.fcntl, fd, F_SETFL, flags);
  return fd;
}

/** open(2) without the limits of what Node can say. Errors: BackendError naming the path. */
export function openPath(path: string, flags: number, mode = 0): number {
  return call(`open ${path}`, SYS.openat, AT_FDCWD, cString(path), flags, mode);
}

/** The bytes of a path with their NUL. */
export function cString(text: string): Buffer {
  return Buffer.concat([textToBytes(text), Buffer.alloc(1)]);
}
