import { textToBytes } from "../../../../io/text.js";
import { SYS } from "../../sys/abi-x64.js";
import { call } from "../../sys/syscall.js";
import type { ImageFile } from "./open-files.js";

const AT_FDCWD = -100;
/** O_CREAT, O_EXCL, O_TRUNC: a restart opens what is there and makes nothing. */
const OPEN_ONCE = 0o100 | 0o200 | 0o1000;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;

/** Opens a file or directory by its path, with the flags that it had. Errors: BackendError naming the path. */
export function openNamed({ path = "", value }: ImageFile): number {
  return openPath(path, (value.f_flags & ~OPEN_ONCE) | O_NOCTTY | O_CLOEXEC);
}

/** open(2) without the limits of what Node can say. Errors: BackendError naming the path. */
export function openPath(path: string, flags: number, mode = 0): number {
  return call(`open ${path}`, SYS.openat, AT_FDCWD, cString(path), flags, mode);
}

/** The bytes of a path with their NUL. */
export function cString(text: string): Buffer {
  return Buffer.concat([textToBytes(text), Buffer.alloc(1)]);
}
