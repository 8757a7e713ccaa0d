import { createRequire } from "node:module";

/** Who holds the lock after a try: this process, another one, or nobody because the file system has no locks. */
export type LockHolder = "ours" | "theirs" | "unsupported";

const LOCK_EX_NB = 2 | 4;
const EWOULDBLOCK = 11;

let flock: ((fd: number) => LockHolder) | undefined;

/**
 * Takes an exclusive flock(2) on an open file, which the kernel gives back when the process ends, however it ends, and
 * which processes of other pid namespaces see. koffi is loaded here, since Node has no such call.
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
