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

/** A lock by its line, as in /proc/locks; `1: POSIX  ADVISORY  WRITE 4711 fe:00:99 0 EOF`. */
export interface LockLine {
  readonly kind: "POSIX" | "FLOCK" | "OFDLCK" | "LEASE";
  /** ADVISORY, MANDATORY; for a lease ACTIVE, BREAKING, BREAKER. */
  readonly mode: string;
  readonly type: "READ" | "WRITE" | "UNLCK";
  /** -1 for locks that belong to the open file. */
  readonly pid: number;
  readonly start: bigint;
  /** Last byte; undefined up to the end of the file. */
  readonly end: bigint | undefined;
}

const KINDS = ["POSIX", "FLOCK", "OFDLCK", "LEASE"] as const;
const TYPES = ["READ", "WRITE", "UNLCK"] as const;

/** The locks of a descriptor. */
export function locksOf({ lines }: FdInfo): LockLine[] {
  return (lines.get("lock") ?? []).flatMap((line) => parseLock(line) ?? []);
}

/** A line about a lock; undefined for a kind that this engine does not know. */
export function parseLock(line: string): (LockLine & { readonly file: string }) | undefined {
  const [, word, mode = "", letter, pid, file = "", start = "0", end] = line.split(/\s+/);
  const kind = KINDS.find((each) => each === word);
  const type = TYPES.find((each) => each === letter);
  if (kind === undefined || type === undefined) return undefined;
  return {
    kind,
    mode,
    type,
    pid: Number(pid),
    file,
    start: BigInt(start),
    end: end === undefined || end === "EOF" ? undefined : BigInt(end),
  };
}
