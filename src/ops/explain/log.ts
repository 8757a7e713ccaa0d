import { READ_WINDOW_BYTES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { bytesToText } from "../../io/text.js";
import { unwrapped } from "./wrapping.js";

/** A line of the log about a problem. */
export interface LogLine {
  /** Counted from 1. */
  readonly number: number;
  /** `text` is a line without a level: of a helper program such as iptables, or of criu before its log began. */
  readonly level: "error" | "warning" | "text";
  /** The task that criu was working on. */
  readonly pid: number | undefined;
  /** Source file and line in criu, e.g. `criu/files-reg.c:2175`. */
  readonly place: string | undefined;
  readonly text: string;
}

export interface CriuLog {
  readonly action: "dump" | "restore" | "unknown";
  /**
   * `unfinished`: criu was killed, crashed, or is still running; `unknown`: the log has neither an error nor lines of
   * the level at which criu logs success.
   */
  readonly outcome: "failed" | "succeeded" | "unfinished" | "unknown";
  readonly criuVersion: string | undefined;
  /** Release of the kernel, `uname -r`. */
  readonly kernel: string | undefined;
  /** Root of the dumped process tree. */
  readonly root: number | undefined;
  /** In the order of the log. */
  readonly problems: readonly LogLine[];
  /** The last line. */
  readonly last: LogLine | undefined;
  /** Whether the input is empty, or any line has the format of criu. */
  readonly recognized: boolean;
}

/** The first errors matter; a program that fails in a loop must not exhaust memory. */
const MAX_PROBLEMS = 500;
const MAX_LINE_BYTES = 64 * 1024;

const LEVEL_LINE =
  /^(?:\(\s*\d+\.\d+\)\s*)?(?:pie:\s*)?(?:(\d+):\s*)?(Error|Warn)\s+\(([^()]+:\d+)\):\s*(.*)$/;
const TIMED_LINE = /^\(\s*\d+\.\d+\)\s*(.*)$/;
/** Lines of criu about one task. */
const TASK_LINE = /^(?:pie: )?\s*(\d+): (.*)$/;
const PIE_LINE = /^(?:pie: |\s+\d+: )/;

/** Lines that criu logs without a problem, or that only repeat an error. */
const NOISE: readonly RegExp[] = [
  /^rlimit: Can't setup RLIMIT_NOFILE for self/, // without CAP_SYS_RESOURCE; not fatal
  /^exited, status=\d+/, // a helper program that criu only probed
  /^(?:Restoring|Dumping|Pre-dumping) FAILED/,
  /^Will restore \d+ with interrupted system call/,
  /^Dump files \(pid: \d+\) failed/,
  /^Could not initialize kernel features detection/,
  /^kerndat_\w+ failed when initializing kerndat/,
];

/** Lines about the whole run. */
const MARKS: readonly {
  readonly match: RegExp;
  readonly action: "dump" | "restore";
  readonly ends?: "failed" | "succeeded";
}[] = [
  { match: /^Restoring FAILED/, action: "restore", ends: "failed" },
  { match: /^Restore finished successfully/, action: "restore", ends: "succeeded" },
  { match: /^(?:Pre-dumping|Dumping) FAILED/, action: "dump", ends: "failed" },
  { match: /^(?:Pre-dumping|Dumping) finished successfully/, action: "dump", ends: "succeeded" },
  { match: /^(?:Reading image tree|Forking task with \d+ pid)/, action: "restore" },
  { match: /^(?:Dumping processes|Pre-dumping processes)/, action: "dump" },
  { match: /^Could not initialize kernel features detection/, action: "restore", ends: "failed" },
];

/** Source files of criu that only one action runs. */
const PLACES: readonly { readonly match: RegExp; readonly action: "dump" | "restore" }[] = [
  { match: /\bcr-restore\.c:|\bpie\/restorer\.c:/, action: "restore" },
  { match: /\bcr-dump\.c:|\bparasite-syscall\.c:/, action: "dump" },
];

/** Reads a log of `criu dump` or `criu restore`, of any verbosity, in one pass and in little memory. */
export function readLog(source: ByteSource): CriuLog {
  const problems: LogLine[] = [];
  let action: CriuLog["action"] = "unknown";
  let ended: "failed" | "succeeded" | undefined;
  let criuVersion: string | undefined;
  let kernel: string | undefined;
  let root: number | undefined;
  let last: LogLine | undefined;
  let recognized = source.size === 0;
  let verbose = false;
  for (const [raw, number] of linesOfCriu(source)) {
    const line = parseLine(raw, number);
    const timed = TIMED_LINE.test(raw);
    if (raw.trim() !== "") last = line;
    recognized ||= line.place !== undefined || timed;
    verbose ||= timed && line.level === "text";
    criuVersion ??= /^Version: (\S+)/.exec(line.text)?.[1];
    kernel ??= /^Running on \S+ Linux (\S+)/.exec(line.text)?.[1];
    root ??= numberOf(/^Dumping processes \(pid: (\d+)/.exec(line.text)?.[1]);
    const mark = MARKS.find(({ match }) => match.test(line.text));
    if (mark !== undefined) {
      action = mark.action;
      ended = mark.ends ?? ended;
    } else if (action === "unknown" && line.place !== undefined) {
      const { place } = line;
      action = PLACES.find(({ match }) => match.test(place))?.action ?? action;
    }
    if (tells(line, raw) && problems.length < MAX_PROBLEMS) problems.push(line);
  }
  const isSilent = !verbose && problems.every(({ level }) => level === "warning");
  const outcome = ended ?? (isSilent ? "unknown" : "unfinished");
  return { action, outcome, criuVersion, kernel, root, problems, last, recognized };
}

/** Lines of criu with the number of the line of the input that they stand in. */
function* linesOfCriu(source: ByteSource): Generator<readonly [string, number]> {
  let number = 0;
  for (const raw of logLines(source)) {
    number++;
    for (const line of unwrapped(raw, number === 1)) yield [line, number];
  }
}

function parseLine(raw: string, number: number): LogLine {
  const found = LEVEL_LINE.exec(raw.trimStart());
  if (found === null) {
    const text = TIMED_LINE.exec(raw)?.[1] ?? raw;
    const [, pid, words = text] = TASK_LINE.exec(text) ?? [];
    return { number, level: "text", pid: numberOf(pid), place: undefined, text: words };
  }
  const [, pid, level, place, text] = found;
  return {
    number,
    level: level === "Error" ? "error" : "warning",
    pid: numberOf(pid),
    place,
    text: text ?? "",
  };
}

/** Progress lines of -v4 and closing lines are not problems. */
function tells(line: LogLine, raw: string): boolean {
  if (line.level !== "text") return !NOISE.some((noise) => noise.test(line.text));
  return line.text.trim() !== "" && !TIMED_LINE.test(raw) && !PIE_LINE.test(raw);
}

function* logLines(source: ByteSource): Generator<string> {
  let rest = Buffer.alloc(0);
  for (let at = 0; at < source.size; at += READ_WINDOW_BYTES) {
    const window = source.read(at, Math.min(READ_WINDOW_BYTES, source.size - at));
    let bytes = rest.length === 0 ? window : Buffer.concat([rest, window]);
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a)) {
      yield lineText(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
    }
    // Only the start of an overlong line is kept.
    rest = Buffer.from(bytes.subarray(0, MAX_LINE_BYTES));
  }
  if (rest.length > 0) yield lineText(rest);
}

function lineText(bytes: Buffer): string {
  return bytesToText(bytes.subarray(0, MAX_LINE_BYTES)).replace(/\r$/, "");
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
