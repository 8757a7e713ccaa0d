import { readProc } from "./read.js";

/** /proc/PID/fdinfo/FD, proc_pid_fdinfo(5): the lines by their names, each as often as it stands there. */
export interface FdInfo {
  readonly position: bigint;
  /** Flags of open(2), O_CLOEXEC with them. */
  readonly flags: number;
  readonly lines: ReadonlyMap<string, readonly string[]>;
}

/** Errors: BackendError when the descriptor is gone. */
export function readFdInfo(pid: number, fd: number): FdInfo {
  const lines = new Map<string, string[]>();
  for (const line of readProc(pid, `fdinfo/${fd}`).split("\n")) {
    // Lines of inotify and fanotify begin with that word and have no colon behind it.
    const [, key, text = ""] =
      /^(inotify|fanotify) (.*)$/.exec(line) ?? /^([^:]+?) *:\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const list = lines.get(key);
    if (list === undefined) lines.set(key, [text]);
    else list.push(text);
  }
  return {
    position: BigInt(lines.get("pos")?.[0] ?? 0),
    flags: Number.parseInt(lines.get("flags")?.[0] ?? "0", 8),
    lines,
  };
}
