import { asciiJson } from "../../io/ascii-json.js";
import { FormatError } from "../../io/errors.js";
import { countOf, listOf, matching, objectOf, textOf } from "../../io/parsed-json.js";
import type { Splice } from "../../io/splice.js";
import type { Change } from "./plan.js";

/** One run of `crimg edit`. */
export interface LogEntry {
  /** SHA-256 of the line before this one, null in the first line; absent in what was written before logs were chained. */
  readonly previous?: string | null | undefined;
  readonly crimg: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly edits: readonly string[];
  readonly files: readonly LoggedFile[];
  readonly changes: readonly Change[];
  /** Paths on this host of files that the edit wrote beside the image; undoing it leaves them. */
  readonly made?: readonly string[] | undefined;
  /** False: made with --no-undo or --redact, so that no old or new value is in the log. */
  readonly undoable?: false | undefined;
}

/** A changed file: SHA-256 before and after, and the splices that turn it back. */
export interface LoggedFile {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly undo: readonly Splice[];
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const SHA256 = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** The entry without any value, old or new: what was changed where, and that it cannot be undone. */
export function withoutValues(entry: LogEntry): LogEntry {
  const hidden = (edit: string): string => `${edit.split(" ", 1)[0]} (value not kept)`;
  return {
    ...entry,
    edits: entry.edits.map(hidden),
    files: entry.files.map((file) => ({ ...file, undo: [] })),
    changes: entry.changes.map(({ edit, image, record, field }) => ({
      ...{ edit: hidden(edit), image, record, field, before: undefined, after: undefined },
    })),
    undoable: false,
  };
}

/** An entry as a line of the log, with its newline, in pieces: whoever keeps them sees in time when they are too many. */
export function* entryPieces(entry: LogEntry): Generator<string> {
  const { previous, crimg, time, edits, files, changes, made, undoable } = entry;
  const json = (value: unknown): string => asciiJson(JSON.stringify(value, plain));
  yield `${json({ previous, crimg, time, edits }).slice(0, -1)},"files":[`;
  for (const [i, { undo, ...file }] of files.entries()) {
    yield `${i === 0 ? "" : ","}${json(file).slice(0, -1)},"undo":[`;
    yield* joined(undo, ({ offset, size, bytes }) => json([offset, size, bytes.toString("base64")]));
    yield "]}";
  }
  yield '],"changes":[';
  yield* joined(changes, json);
  const rest = json({ made, undoable });
  yield `]${rest === "{}" ? "" : ","}${rest.slice(1)}\n`;
}

const PIECE_LENGTH = 64 * 1024;

/** The texts of a list, joined by commas, many in a piece. */
function* joined<T>(list: readonly T[], text: (item: T) => string): Generator<string> {
  let piece = "";
  for (const [i, item] of list.entries()) {
    piece += `${i === 0 ? "" : ","}${text(item)}`;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Integers as the command line's JSON has them, bytes as base64. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value <= SAFE && value >= -SAFE ? Number(value) : value.toString();
  if (typeof value !== "object" || value === null) return value;
  const { type, data } = value as { type?: unknown; data?: unknown };
  return type === "Buffer" && Array.isArray(data) ? Buffer.from(data).toString("base64") : value;
}

/** The entry in a line, each part checked: a log is a stranger's. Errors: FormatError INVALID. */
export function parseEntry(line: Buffer, file: string, number: number): LogEntry {
  try {
    const { previous, crimg, time, edits, files, changes, made, undoable } = objectOf(
      JSON.parse(line.toString("utf8")),
      "an object",
    );
    return {
      ...(previous === undefined ? {} : { previous: previous === null ? null : matching(previous, SHA256) }),
      crimg: textOf(crimg),
      time: matching(time, TIME),
      edits: listOf(edits).map(textOf),
      files: listOf(files).map(parseFile),
      changes: listOf(changes).map(parseChange),
      ...(made === undefined ? {} : { made: listOf(made).map(textOf) }),
      ...(undoable === false ? { undoable } : {}),
    };
  } catch (cause) {
    throw new FormatError("INVALID", `line ${number} of the edit log is damaged`, { file, cause });
  }
}

function parseFile(value: unknown): LoggedFile {
  const { name, before, after, undo } = objectOf(value, "a file");
  const text = textOf(name);
  if (text === "" || text === "." || text === ".." || /[/\0]/.test(text))
    throw new TypeError("a name of another directory");
  return {
    name: text,
    before: matching(before, SHA256),
    after: matching(after, SHA256),
    undo: listOf(undo).map(parseSplice),
  };
}

function parseSplice(value: unknown): Splice {
  const [offset, size, bytes] = listOf(value);
  return { offset: countOf(offset), size: countOf(size), bytes: bytesOf(textOf(bytes)) };
}

/** Node skips what is no base64, which the length tells. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (bytes.length !== (text.length * 3) / 4 - padding) throw new TypeError("base64 expected");
  return bytes;
}

function parseChange(value: unknown): Change {
  const { edit, image, record, field, before, after } = objectOf(value, "a change");
  return {
    edit: textOf(edit),
    image: textOf(image),
    record: record === undefined ? undefined : countOf(record),
    field: textOf(field),
    before,
    after,
  };
}
