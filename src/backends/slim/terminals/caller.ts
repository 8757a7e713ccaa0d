import fs from "node:fs";
import tty from "node:tty";
import { readStat } from "../proc/stat.js";

/** The terminal that crimg itself runs on. */
export interface CallerTerminal {
  /** The standard descriptor that it is: 0, 1 or 2. */
  readonly fd: number;
  /** As /proc says it. */
  readonly name: string;
  /** The session that it controls, 0 for none. */
  readonly session: number;
  /** Whether a restored session can have it: it controls none, or one that crimg itself leads and gives it up for. */
  readonly canBeTaken: boolean;
}

/** Standard input, output or error, whichever is a terminal first. */
export function callerTerminal(): CallerTerminal | undefined {
  const fd = [0, 1, 2].find((each) => tty.isatty(each));
  if (fd === undefined) return undefined;
  const { rdev } = fs.fstatSync(fd);
  const session = sessionOf(rdev);
  const canBeTaken = session === 0 || session === process.pid;
  return { fd, name: fs.readlinkSync(`/proc/self/fd/${fd}`), session, canBeTaken };
}

/** The session that a terminal controls: every task of it says so, proc_pid_stat(5). */
function sessionOf(device: number): number {
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const { tty: terminal, sid } = readStat(name);
      if (terminal === device) return sid;
    } catch {
      // It ended meanwhile.
    }
  }
  return 0;
}
