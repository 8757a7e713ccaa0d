/** System calls of this process and the ABI of x86-64: nothing of other tasks or of images. */

import koffi from "koffi";
import { textToBytes } from "../../../io/text.js";
import { AT_FDCWD } from "../../../linux/files.js";
import { SYS } from "./abi-x64.js";
import { KernelError } from "./kernel-error.js";

/** What a system call takes: an integer, or the address of bytes that stay where they are while it runs. */
type Argument = number | bigint | Buffer | null;

/** syscall(2), declared with a fixed number of arguments: what the call does not take, it does not look at. */
const libcSyscall = koffi
  .load("libc.so.6")
  .func("int64_t syscall(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)") as (
  ...args: (number | bigint)[]
) => number | bigint;

/**
 * A system call of this process, by its number; the result, or the negative errno as the kernel itself gives it.
 * The thread that calls is this one: ptrace(2) knows its tracer by the thread.
 */
export function attempt(number: number, ...args: readonly Argument[]): number {
  // Called a hundred thousand times while stops are waited for: no array is made here.
  const result = Number(
    libcSyscall(
      number,
      word(args[0]),
      word(args[1]),
      word(args[2]),
      word(args[3]),
      word(args[4]),
      word(args[5]),
    ),
  );
  return result === -1 ? -koffi.errno() : result;
}

function word(arg: Argument | undefined): number | bigint {
  if (typeof arg === "number" || typeof arg === "bigint") return arg;
  return arg === undefined || arg === null ? 0 : addressOf(arg);
}

/** The same, for calls that are to succeed. `doing` says what for. Errors: KernelError. */
export function call(doing: string, number: number, ...args: readonly Argument[]): number {
  const result = attempt(number, ...args);
  if (result < 0) throw new KernelError(doing, -result);
  return result;
}

/** Where the bytes of a Buffer stand in the memory of this process, for structures that hold pointers. */
export function addressOf(buffer: Buffer): bigint {
  return koffi.address(buffer) as bigint;
}

/** open(2) without the limits of what Node can say. Errors: BackendError naming the path. */
export function openPath(path: string, flags: number, mode = 0): number {
  return call(`open ${path}`, SYS.openat, AT_FDCWD, cString(path), flags, mode);
}

/** The bytes of a path with their NUL. */
export function cString(text: string): Buffer {
  return Buffer.concat([textToBytes(text), Buffer.alloc(1)]);
}
