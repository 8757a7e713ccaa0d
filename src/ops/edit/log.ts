import path from "node:path";
import { asciiJson } from "../../io/ascii-json.js";
import { sha256 } from "../../io/digest.js";
import { FormatError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import { invertSplices, type Splice, SplicedSource } from "../../io/splice.js";
import { type Change, editText, type Plan } from "./plan.js";

/** The edit log inside an image set: one JSON object a line, the oldest first. No image of criu has this name. */
export const EDIT_LOG = "crimg-edits.jsonl";

/** A set edited so often is better made anew; an image that claims a longer log is damaged. */
const MAX_LOG_BYTES = 512 * 1024 * 1024;

/** One run of `crimg edit`. */
export interface LogEntry {
  readonly crimg: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly edits: readonly string[];
  readonly files: readonly LoggedFile[];
  readonly changes: readonly Change[];
  /** Paths on this host of files that the edit wrote beside the image; undoing it leaves them. */
  readonly made?: readonly string[] | undefined;
}

/** A changed file: SHA-256 before and after, and the splices that turn it back. */
export interface LoggedFile {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly undo: readonly Splice[];
}

/** The entries of a set's log, oldest first; none without a log. Errors: FormatError with the line. */
export function readLog(files: FileSet): LogEntry[] {
  const source = files.open(EDIT_LOG);
  if (source === undefined) return [];
  if (source.size > MAX_LOG_BYTES)
    throw new FormatError(
      "TOO_LARGE",
      `the edit log has ${source.size} bytes, at most ${MAX_LOG_BYTES} are read`,
      {
        file: source.name,
      },
    );
  const lines = source.read(0, source.size).toString("utf8").split("\n");
  if (lines.pop() !== "")
    throw new FormatError("TRUNCATED", "truncated: the last line of the edit log does not end", {
      file: source.name,
    });
  return lines.map((line, i) => parseEntry(line, source.name, i + 1));
}

/** What a plan changes, for the log. Reads the changed files as they are and as they will be. */
export function logEntry(
  plan: Plan,
  changed: ReadonlyMap<string, SplicedSource>,
  version: string,
  time: Date,
): LogEntry {
  return {
    crimg: version,
    time: time.toISOString(),
    edits: plan.edits.map(editText),
    files: [...changed].map(([name, content]) => ({
      name,
      before: sha256(content.base),
      after: sha256(content),
      undo: invertSplices(content.base, content.splices),
    })),
    changes: plan.changes,
    made: plan.newFiles.length === 0 ? undefined : plan.newFiles.map(({ hostPath }) => hostPath),
  };
}

/** The log with one more entry. */
export function appendedLog(files: FileSet, entry: LogEntry): ByteSource {
  const old = files.open(EDIT_LOG) ?? new MemorySource(Buffer.alloc(0), path.join(files.name, EDIT_LOG));
  return new SplicedSource(old, [{ offset: old.size, size: 0, bytes: Buffer.from(formatEntry(entry)) }]);
}

/** The log without its last `count` entries; null when none is left. */
export function shortenedLog(files: FileSet, entries: readonly LogEntry[], count: number): ByteSource | null {
  const source = files.open(EDIT_LOG);
  if (source === undefined || count >= entries.length) return null;
  const bytes = source.read(0, source.size);
  let end = bytes.length;
  for (let i = 0; i < count; i++) end = bytes.lastIndexOf("\n", end - 2) + 1;
  return new MemorySource(bytes.subarray(0, end), source.name);
}

function formatEntry(entry: LogEntry): string {
  const files = entry.files.map(({ undo, ...file }) => ({
    ...file,
    undo: undo.map(({ offset, size, bytes }) => [offset, size, bytes.toString("base64")]),
  }));
  return `${asciiJson(JSON.stringify({ ...entry, files }, plain))}\n`;
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Integers as the command line's JSON has them, bytes as base64. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value <= SAFE && value >= -SAFE ? Number(value) : value.toString();
  if (typeof value !== "object" || value === null) return value;
  const { type, data } = value as { type?: unknown; data?: unknown };
  return type === "Buffer" && Array.isArray(data) ? Buffer.from(data).toString("base64") : value;
}

function parseEntry(line: string, file: string, number: number): LogEntry {
  try {
    const entry = JSON.parse(line) as LogEntry & { files: { undo: unknown[] }[] };
    for (const key of ["crimg", "time"] as const) expectText(entry[key]);
    for (const text of [...entry.edits, ...(entry.made ?? [])]) expectText(text);
    return { ...entry, files: entry.files.map(parseFile), changes: [...entry.changes] };
  } catch (cause) {
    throw new FormatError("INVALID", `line ${number} of the edit log is damaged`, { file, cause });
  }
}

function parseFile({ name, before, after, undo }: LoggedFile): LoggedFile {
  for (const text of [name, before, after]) expectText(text);
  if (name !== path.basename(name) || name === "..") throw new TypeError("a name of another directory");
  return {
    name,
    before,
    after,
    undo: (undo as unknown as unknown[][]).map(([offset, size, bytes]) => {
      for (const count of [offset, size]) if (!Number.isSafeInteger(count)) throw new TypeError("no offset");
      return {
        offset: offset as number,
        size: size as number,
        bytes: Buffer.from(bytes as string, "base64"),
      };
    }),
  };
}

function expectText(value: unknown): void {
  if (typeof value !== "string") throw new TypeError("text expected");
}
