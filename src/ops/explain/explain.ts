import { FormatError } from "../../io/errors.js";
import { extendedCommand, shellQuote } from "../../io/shell.js";
import type { ByteSource } from "../../io/source.js";
import type { Document } from "../../model/document.js";
import type { Origin } from "../../model/origin.js";
import type { Cause } from "./cause.js";
import { FILE_CAUSES } from "./causes/files.js";
import { HOST_CAUSES } from "./causes/host.js";
import { IMAGE_CAUSES } from "./causes/images.js";
import { LIMIT_CAUSES } from "./causes/limits.js";
import { RUNTIME_CAUSES } from "./causes/runtimes.js";
import { SOCKET_CAUSES } from "./causes/sockets.js";
import { TASK_CAUSES } from "./causes/tasks.js";
import { type CriuLog, type LogLine, readLog } from "./log.js";
import { type LogObject, objectsOf } from "./objects.js";

/** All known failures; the first row that matches a line explains it. */
export const CAUSES: readonly Cause[] = [
  ...FILE_CAUSES,
  ...SOCKET_CAUSES,
  ...TASK_CAUSES,
  ...HOST_CAUSES,
  ...IMAGE_CAUSES,
  ...RUNTIME_CAUSES,
  ...LIMIT_CAUSES,
];

/** A fix, ready to paste. */
export interface Mend {
  readonly command: string | undefined;
  readonly effect: string;
}

/** Why criu failed. */
export interface Failure {
  /** Stable id of the cause. */
  readonly id: string;
  readonly what: string;
  readonly why: string;
  readonly mends: readonly Mend[];
  /** The matching line. */
  readonly line: LogLine;
  /** Tasks and descriptors involved, if the images are given. */
  readonly objects: readonly LogObject[];
}

/** An unknown error that is the likely cause. */
export interface LikelyCause {
  /** The first error of the log that is not known to follow from another. */
  readonly line: LogLine;
  /** A later error that follows from it, with what helps against that. */
  readonly consequence: Failure | undefined;
}

export interface Explanation extends Omit<CriuLog, "problems" | "recognized"> {
  readonly log: string;
  /** Undefined without a failure, or for an unknown one. */
  readonly failure: Failure | undefined;
  /** For an unknown failure with an error. */
  readonly likely: LikelyCause | undefined;
  /** Lines that may matter, in the order of the log. */
  readonly lines: readonly LogLine[];
}

/**
 * Finds in a log of `criu dump` or `criu restore` why it failed, and how to fix it. With the image set that the log is
 * about, ids in the log are resolved to tasks, descriptors and paths. `given`: arguments after IMG of the failed `crimg
 * restore`, also behind `--`, so that fixes extend that command instead of editing to a new set. Errors: FormatError for a damaged set, or
 * if the input is not a log of criu.
 */
export function explainLog(source: ByteSource, document?: Document, given?: readonly string[]): Explanation {
  const { problems: lines, recognized, ...log } = readLog(source);
  const known = log.outcome === "succeeded" ? undefined : (firstKnown(lines, log.action) ?? stuckAt(log));
  if (!recognized && known === undefined)
    throw new FormatError("INVALID", "not a log of criu (no line has its format)", {
      file: source.name,
    });
  const failure = known === undefined ? undefined : describe(known, lines, log, { document, given });
  const unknown = log.outcome === "succeeded" ? undefined : firstUnknown(lines, known, log.action);
  return {
    ...log,
    action: log.action === "unknown" ? (known?.cause.during ?? "unknown") : log.action,
    log: source.name,
    failure: unknown === undefined ? failure : undefined,
    likely: unknown === undefined ? undefined : { line: unknown, consequence: failure },
    lines: lines.filter(({ level }) => level !== "warning"),
  };
}

interface Known {
  readonly cause: Cause;
  readonly line: LogLine;
  readonly groups: Readonly<Record<string, string | undefined>>;
}

/** The first error with a known cause, else a warning with one; consequences of other errors only if nothing else matches. */
function firstKnown(lines: readonly LogLine[], action: CriuLog["action"]): Known | undefined {
  let second: Known | undefined;
  let consequence: Known | undefined;
  for (const line of lines) {
    const known = causeOf(line, action);
    if (known === undefined) continue;
    if (known.cause.consequence === true) consequence ??= known;
    else if (line.level === "warning") second ??= known;
    else return known;
  }
  return second ?? consequence;
}

/** Without a known cause, the first error that is not known to follow from another. */
function firstUnknown(
  lines: readonly LogLine[],
  known: Known | undefined,
  action: CriuLog["action"],
): LogLine | undefined {
  if (known !== undefined && known.cause.consequence !== true) return undefined;
  return lines.find(
    (line) => line.level === "error" && !FOLLOWS.test(line.text) && causeOf(line, action) === undefined,
  );
}

/** What criu reports on its way out of a failed step, after the error itself. */
const FOLLOWS =
  /^(?:Can't (?:dump page|dump sigactions|dump misc|fixup VMA's fd|infect|cure|open vma|dump threads)|`- Can't open vma|Restorer fail|Collect |Dump \w+ |Pre-dumping files|Unable to restore network links|failed to start|Killing processes|Child \d+ died)/;

/** The last line of an unfinished log shows what criu was waiting for. */
function stuckAt({ outcome, last }: Pick<CriuLog, "outcome" | "last">): Known | undefined {
  if (outcome !== "unfinished" || last === undefined) return undefined;
  for (const cause of CAUSES) {
    const found = cause.stuck === true ? cause.match.exec(last.text) : null;
    if (found !== null) return { cause, line: last, groups: found.groups ?? {} };
  }
  return undefined;
}

function causeOf(line: LogLine, action: CriuLog["action"]): Known | undefined {
  for (const cause of CAUSES) {
    if (cause.stuck === true) continue;
    if (cause.during !== undefined && action !== "unknown" && cause.during !== action) continue;
    const found = cause.match.exec(line.text);
    if (found !== null) return { cause, line, groups: found.groups ?? {} };
  }
  return undefined;
}

function describe(
  { cause, line, groups }: Known,
  lines: readonly LogLine[],
  log: Pick<CriuLog, "root">,
  {
    document,
    given,
  }: { readonly document: Document | undefined; readonly given: readonly string[] | undefined },
): Failure {
  const at = descriptorAt(line, lines);
  const pid = line.pid ?? numberIn(groups.task);
  const image = document?.name ?? "IMG";
  const restore = ["crimg", "restore", image, ...(given ?? [])];
  const facts = new Map<string, string>([
    ["image", image],
    ["root", String(log.root ?? numberIn(groups.task) ?? pidIn(lines) ?? "PID")],
    ["pid", String(pid ?? pidIn(lines) ?? "PID")],
    ["fd", String(at?.fd ?? "N")],
    ["unlabel", unlabelling(document, pid)],
  ]);
  for (const [name, text] of Object.entries(groups))
    if (text !== undefined) facts.set(name, name.endsWith("path") ? absolute(text) : text);
  const mends = cause.mends
    .filter(({ only }) => only?.(groups) ?? true)
    .map(({ command, edit, effect }) => {
      const flags = given === undefined ? `crimg edit {image} ${edit} -o NEWDIR` : `{restore} ${edit}`;
      const template = edit === undefined ? command : flags;
      const [front = "", more] = (template ?? "").split("{restore}");
      const before = fill(front, facts, quoteFact);
      return {
        command:
          more === undefined
            ? before || undefined
            : before + extendedCommand(restore, fill(more, facts, quoteFact)),
        effect: fill(effect, facts),
      };
    });
  const objects =
    document === undefined
      ? []
      : objectsOf(document.checkpoint, {
          path: facts.get("path"),
          pid,
          fd: numberIn(groups.fd) ?? at?.fd,
          fileId: numberIn(groups.id ?? groups.file_id) ?? at?.id,
          inode: numberIn(groups.inode),
        });
  return { id: cause.id, what: fill(cause.what, facts), why: fill(cause.why, facts), mends, line, objects };
}

/** criu names the descriptor only after the error, in `Unable to open fd=4 id=0x5` of the same task. */
function descriptorAt(line: LogLine, lines: readonly LogLine[]): { fd: number; id: number } | undefined {
  for (const { number, pid, text } of lines) {
    if (number < line.number || pid !== line.pid) continue;
    const found = /^Unable to open fd=(\d+) id=(0x[0-9a-f]+)/.exec(text);
    if (found !== null) return { fd: Number(found[1]), id: Number(found[2]) };
  }
  return undefined;
}

/** `Dump files (pid: 1000) failed` and the like name the task when the error itself does not. */
function pidIn(lines: readonly LogLine[]): number | undefined {
  for (const { text } of lines) {
    const found = /\(pid: (\d+)/.exec(text);
    if (found !== null) return Number(found[1]);
  }
  return undefined;
}

/** criu logs most paths without the leading slash. */
function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** The flags that take the security labels from all threads of the set, or from the task of the log. */
function unlabelling(document: Document | undefined, pid: number | undefined): string {
  const fields = [];
  for (const { threads } of document?.checkpoint.tasks ?? [])
    for (const { credentials } of threads)
      if (credentials?.lsmProfile !== undefined) fields.push(profileOf(credentials.origin));
  if (fields.length === 0) fields.push(`core-${pid ?? "PID"}.img[0].thread_core.creds.lsm_profile`);
  return fields.map((field) => `--set ${shellQuote(`${field}=absent`)}`).join(" ");
}

function profileOf({ image, record, field }: Origin): string {
  return [`${image}[${record}]`, field, "lsm_profile"].filter((part) => part !== undefined).join(".");
}

/** Command lines among the facts are already quoted. */
function quoteFact(fact: string, name: string): string {
  return name === "unlabel" ? fact : shellQuote(fact);
}

function fill(
  template: string,
  facts: ReadonlyMap<string, string>,
  write: (fact: string, name: string) => string = (fact) => fact,
): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const fact = facts.get(name);
    return fact === undefined ? whole : write(fact, name);
  });
}
