import { keyedLines, readProc } from "./read.js";

/** What /proc/PID/status says of a task, proc_pid_status(5). */
export interface Status {
  readonly tgid: number;
  readonly umask: number;
  /** Real, effective, saved, file system. */
  readonly uids: readonly [number, number, number, number];
  readonly gids: readonly [number, number, number, number];
  readonly groups: readonly number[];
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly noNewPrivs: boolean;
  /** 0 disabled, 1 strict, 2 filter. */
  readonly seccomp: number;
  readonly tracer: number;
  readonly thpDisabled: boolean;
}

/** `task`: PID, or `PID/task/TID` for one thread. Errors: BackendError when it is gone. */
export function readStatus(task: number | string): Status {
  return parseStatus(readProc(task, "status"));
}

/** The text of such a file. */
export function parseStatus(text: string): Status {
  const lines = keyedLines(text);
  const numbers = (name: string): number[] =>
    (lines.get(name) ?? "").split(/\s+/).filter(Boolean).map(Number);
  const four = (name: string): [number, number, number, number] => {
    const [a = 0, b = 0, c = 0, d = 0] = numbers(name);
    return [a, b, c, d];
  };
  const mask = (name: string): bigint => BigInt(`0x${lines.get(name) ?? "0"}`);
  const number = (name: string): number => numbers(name)[0] ?? 0;
  return {
    tgid: number("Tgid"),
    umask: Number.parseInt(lines.get("Umask") ?? "0", 8),
    uids: four("Uid"),
    gids: four("Gid"),
    groups: numbers("Groups"),
    inheritable: mask("CapInh"),
    permitted: mask("CapPrm"),
    effective: mask("CapEff"),
    bounding: mask("CapBnd"),
    ambient: mask("CapAmb"),
    noNewPrivs: number("NoNewPrivs") === 1,
    seccomp: number("Seccomp"),
    tracer: number("TracerPid"),
    thpDisabled: lines.get("THP_enabled") === "0",
  };
}
