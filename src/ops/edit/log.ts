import path from "node:path";
import { sha256 } from "../../io/digest.js";
import { EditError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import type { FileDigests } from "../../io/in-place.js";
import { MAX_EDIT_LOG_BYTES, MAX_EDIT_LOG_VALUES } from "../../io/limits.js";
import { valuesIn } from "../../io/parsed-json.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import { invertSplices, SplicedSource } from "../../io/splice.js";
import { type ChainedLine, chainOf, type LogChain } from "./log-chain.js";
import { entryPieces, type LogEntry, parseEntry } from "./log-entry.js";
import { type LogLine, linesOf } from "./log-lines.js";
import { editText, type Plan } from "./plan.js";

/** The edit log inside an image set: one JSON object a line, the oldest first. No image of criu has this name. */
export const EDIT_LOG = "crimg-edits.jsonl";

/** A log as it stands, with what the digests in it prove. Nothing of it is to be believed. */
export interface EditLog {
  /** The oldest first. */
  readonly entries: readonly LogEntry[];
  readonly chain: LogChain;
  /** What the lines were read from; undefined without a log. */
  readonly source: ByteSource | undefined;
  readonly lines: readonly Pick<LogLine, "start" | "end">[];
}

/** A new log and the digest of its last line. */
export interface AppendedLog {
  readonly log: ByteSource;
  readonly head: string;
}

/** The log of a set; without one it has no entries. Errors: FormatError with the line; TOO_LARGE. */
export function readLog(files: FileSet): EditLog {
  const source = files.open(EDIT_LOG);
  const entries: LogEntry[] = [];
  const chained: ChainedLine[] = [];
  const lines: Pick<LogLine, "start" | "end">[] = [];
  for (const { bytes, start, end, digest } of source === undefined ? [] : linesOf(source)) {
    const entry = parseEntry(bytes, (source as ByteSource).name, lines.length + 1);
    entries.push(entry);
    chained.push({ digest, previous: entry.previous });
    lines.push({ start, end });
  }
  return { entries, chain: chainOf(chained), source, lines };
}

/**
 * What a plan changes, for the log. Reads the changed files as they are and as they will be.
 * Errors: EDIT when the log would have to keep more old bytes than a log may have.
 */
export function logEntry(
  plan: Plan,
  changed: ReadonlyMap<string, SplicedSource>,
  version: string,
  time: Date,
): LogEntry {
  let kept = 0;
  for (const { splices } of changed.values()) for (const { size } of splices) kept += size;
  if (kept > MAX_EDIT_LOG_BYTES) throw logTooLarge(`the log would keep ${kept} old bytes`, plan.set);
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

/**
 * The log with one more entry, which carries the digest of the line before.
 * Errors: EDIT when crimg would not read the log again; FormatError for a log whose last line does not end.
 */
export function appendedLog(files: FileSet, entry: LogEntry): AppendedLog {
  const old = files.open(EDIT_LOG) ?? new MemorySource(Buffer.alloc(0), path.join(files.name, EDIT_LOG));
  let previous: string | null = null;
  let values = 0;
  for (const line of linesOf(old)) {
    previous = line.digest;
    values += line.values;
  }
  const pieces: Buffer[] = [];
  let { size } = old;
  for (const text of entryPieces({ ...entry, previous })) {
    const piece = Buffer.from(text);
    pieces.push(piece);
    size += piece.length;
    values += valuesIn(piece);
    if (size > MAX_EDIT_LOG_BYTES) throw logTooLarge("the edit log would be too large", old.name);
    if (values > MAX_EDIT_LOG_VALUES) throw logTooLarge("the edit log would have too many values", old.name);
  }
  const bytes = Buffer.concat(pieces);
  return {
    log: new SplicedSource(old, [{ offset: old.size, size: 0, bytes }]),
    head: sha256(new MemorySource(bytes, old.name)),
  };
}

/** The log without its last `count` entries; null when none is left. */
export function shortenedLog({ source, lines }: EditLog, count: number): ByteSource | null {
  const first = lines[lines.length - count];
  if (source === undefined || first === undefined || first.start === 0) return null;
  const { start: offset } = first;
  return new SplicedSource(source, [{ offset, size: source.size - offset, bytes: Buffer.alloc(0) }]);
}

function logTooLarge(what: string, file: string): EditError {
  return new EditError(
    `${what}, at most ${MAX_EDIT_LOG_BYTES} bytes and ${MAX_EDIT_LOG_VALUES} values are kept to undo edits; make smaller edits, move the old log away, or write a stream with -o -, which has no log`,
    { file },
  );
}

/** What the log of a set is, and what it becomes. */
export function logDigests(files: FileSet, log: ByteSource | null): FileDigests {
  const old = files.open(EDIT_LOG);
  return { before: old === undefined ? null : sha256(old), after: log === null ? null : sha256(log) };
}
