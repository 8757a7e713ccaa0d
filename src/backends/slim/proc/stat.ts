import { readProc } from "./read.js";

/** The flag of a core dump in a status of wait(2). */
export const DUMPED_CORE = 0x80;

/** What /proc/PID/stat says of a task, proc_pid_stat(5); addresses are exact: user space ends below 2^53. */
export interface Stat {
  readonly pid: number;
  readonly comm: string;
  /** R, S, D, T, t, Z, X … */
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly tty: number;
  readonly foregroundPgid: number;
  readonly exitSignal: number;
  readonly startCode: number;
  readonly endCode: number;
  readonly startStack: number;
  readonly nice: number;
  /** On which it last ran. */
  readonly cpu: number;
  readonly schedulingPolicy: number;
  readonly realtimePriority: number;
  readonly startData: number;
  readonly endData: number;
  readonly startBrk: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** As wait(2) gives it. */
  readonly exitCode: number;
}

/** `task`: PID, or `PID/task/TID` for one thread. Errors: BackendError when it is gone. */
export function readStat(task: number | string): Stat {
  return parseStat(readProc(task, "stat"));
}

/** The text of such a file. */
export function parseStat(text: string): Stat {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  // The first word behind the name is field 3 of the manual.
  const words = text.slice(close + 2).split(" ");
  const field = (number: number): number => Number(words[number - 3]);
  return {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: words[0] ?? "X",
    ppid: field(4),
    pgid: field(5),
    sid: field(6),
    tty: field(7),
    foregroundPgid: field(8),
    nice: field(19),
    startCode: field(26),
    endCode: field(27),
    startStack: field(28),
    exitSignal: field(38),
    cpu: field(39),
    realtimePriority: field(40),
    schedulingPolicy: field(41),
    startData: field(45),
    endData: field(46),
    startBrk: field(47),
    argStart: field(48),
    argEnd: field(49),
    envStart: field(50),
    envEnd: field(51),
    exitCode: field(52),
  };
}
