import { createRequire } from "node:module";

/** Result of a try: locked by this process, by another one, or the file system has no locks. */
export type LockHolder = "ours" | "theirs" | "unsupported";

const LOCK_EX_NB = 2 | 4;
const EWOULDBLOCK = 11;

let flock: ((fd: number) => LockHolder) | undefined;

/**
 * Takes an exclusive flock(2) on an open file. The kernel releases it when the process ends in any way, and processes in
 * other pid namespaces see it. koffi is loaded here, since Node has no such call.
 */
export function tryLock(fd: number): LockHolder {
  flock ??= loadFlock();
  return flock(fd);
}

function loadFlock(): (fd: number) => LockHolder {
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const call = koffi.load(null).func("int flock(int, int)") as (fd: number, operation: number) => number;
    return (fd) => {
      if (call(fd, LOCK_EX_NB) === 0) return "ours";
      return koffi.errno() === EWOULDBLOCK ? "theirs" : "unsupported";
    };
  } catch {
    return () => "unsupported";
  }
}
