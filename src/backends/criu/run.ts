import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BackendError, ioError } from "../../io/errors.js";
import { createPrivate } from "../../io/private-file.js";
import { killTree } from "../processes.js";
import { workDirectoryIn } from "./command-line.js";

/** One run of `criu restore`. */
export interface CriuRun {
  /** The program and its arguments, without those for the log and the pid file. */
  readonly command: readonly [string, ...string[]];
  /** An empty directory, for the log and other files of criu. */
  readonly workDirectory: string;
  readonly detach: boolean;
  /** Descriptors that it gets as 3, 4 …. */
  readonly inherited: readonly number[];
  /** The tasks join the terminal and session of crimg, and get their signals from there. */
  readonly sharesTerminal: boolean;
  /** Time without log output after which criu is considered hung. */
  readonly stallSeconds: number;
  readonly onRestored: (pid: number) => void;
}

export interface CriuEnd {
  readonly restored: boolean;
  /** Pid of the root task as seen on this host, if it was created. */
  readonly pid: number | undefined;
  /** How criu itself ended: its exit status, or the name of a signal. */
  readonly ended: number | NodeJS.Signals;
  readonly hung: boolean;
  readonly log: string;
}

/** The user names another one where a helper of criu, such as criu lazy-pages, waits for it. */
function ownWorkDirectory({ command, workDirectory }: CriuRun): string[] {
  return workDirectoryIn(command) === undefined ? ["--work-dir", workDirectory] : [];
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const POLL_MS = 50;
/** Bytes read from the end of the log, which include the message of success. */
const LAST_WORDS_BYTES = 4096;
const SUCCESS = "Restore finished successfully";

/**
 * Runs criu and waits: detached until the tasks run, else until they end. A hung criu is killed with the partially
 * restored tasks. SIGINT and the like are forwarded to the restored root task, or stop an unfinished restore.
 * Errors: BackendError if criu cannot be started or the restore was interrupted.
 */
export async function runCriu(run: CriuRun): Promise<CriuEnd> {
  const log = join(run.workDirectory, "restore.log");
  const pidFile = join(run.workDirectory, "root.pid");
  const out = createPrivate(join(run.workDirectory, "criu.out"));
  const child = start(run, [...ownWorkDirectory(run), "--log-file", log, "-v4", "--pidfile", pidFile], out);
  const end = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on("error", (cause) => reject(ioError("start criu", run.command[0], cause)));
    child.on("exit", (status, signal) => resolve(status ?? signal ?? "SIGKILL"));
  });
  let over = false;
  let interrupted: NodeJS.Signals | undefined;
  let pid: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (pid === undefined && hasSucceeded(log)) pid = pidIn(pidFile);
    if (pid === undefined) {
      interrupted = signal;
      killTree(child.pid as number);
    } else if (!run.sharesTerminal) sendTo(pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    end.then(
      () => (over = true),
      () => (over = true),
    );
    const hung = await untilRestored(log, run.stallSeconds, () => over);
    if (hung) killTree(child.pid as number);
    else if (hasSucceeded(log)) {
      pid = pidIn(pidFile);
      if (pid !== undefined) run.onRestored(pid);
    }
    const ended = await end;
    if (interrupted !== undefined && pid === undefined)
      throw new BackendError(`interrupted by ${interrupted}; the partially restored tasks were killed`);
    return { restored: pid !== undefined, pid: pid ?? pidIn(pidFile), ended, hung, log };
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    closeSync(out);
  }
}

function start(
  { command, detach, inherited, sharesTerminal }: CriuRun,
  places: string[],
  out: number,
): ChildProcess {
  const [program, action, ...rest] = command;
  const args = [action as string, ...places, ...(detach ? ["--restore-detached"] : []), ...rest];
  return spawn(program, args, {
    // Detached tasks must not keep a pipe of crimg open, so early output of criu goes to a file.
    stdio: [...(detach ? ["ignore" as const, out, out] : [0, 1, 2]), ...inherited],
    // In its own session criu does not get the Ctrl-C that crimg forwards; a shell job stays in the session of the shell.
    detached: !sharesTerminal,
  });
}

/** True if criu hangs: its log has not grown for too long. */
async function untilRestored(log: string, stallSeconds: number, over: () => boolean): Promise<boolean> {
  let size = -1;
  let since = Date.now();
  for (;;) {
    if (over()) return false;
    const now = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    if (now !== size) {
      size = now;
      since = Date.now();
      if (hasSucceeded(log)) return false;
    }
    if (Date.now() - since > stallSeconds * 1000) return true;
    await sleep(POLL_MS);
  }
}

function hasSucceeded(log: string): boolean {
  return lastWords(log).includes(SUCCESS);
}

function lastWords(log: string): string {
  let fd: number;
  try {
    fd = openSync(log, "r");
  } catch {
    return "";
  }
  try {
    const { size } = statSync(log);
    const from = Math.max(0, size - LAST_WORDS_BYTES);
    const bytes = Buffer.alloc(size - from);
    return bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has already ended
  }
}
