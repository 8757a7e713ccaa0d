import { ByteRanges } from "../../../io/byte-ranges.js";
import { EditError, UsageError } from "../../../io/errors.js";
import { hex } from "../../../io/hex.js";
import { Finder } from "../../../model/search/finder.js";
import { type PatternOptions, type Target, targetsOf } from "../../../model/search/pattern.js";
import {
  type StoredMatch,
  type StoredPart,
  searchable,
  searchStored,
  type Unsearched,
} from "../../../model/search/stored-search.js";
import type { Editor } from "../editor.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { assertPlain } from "../stored-page.js";

interface RedactEdit {
  readonly targets: readonly Target[];
  /** What stands in the place of a match, byte for byte. */
  readonly fill: number;
}

/** `--redact TEXT`: every occurrence in memory, queues and deleted files is overwritten, in UTF-8 and UTF-16. */
export const redact = redaction(
  "redact",
  "TEXT",
  "overwrite TEXT, also in UTF-16, in memory, queues and deleted files; the log does not keep it",
  { utf16: true },
);
/** `--redact-hex BYTES`, as `grep -x` takes them. */
export const redactHex = redaction(
  "redact-hex",
  "BYTES",
  "the same for bytes in hexadecimal, ? for any digit",
  {
    hex: true,
  },
);
/** `--redact-regex PATTERN`, as `grep -e` takes it. */
export const redactRegex = redaction(
  "redact-regex",
  "PATTERN",
  "the same for a regular expression over bytes",
  {
    regex: true,
  },
);

function redaction(
  name: string,
  syntax: string,
  summary: string,
  options: PatternOptions,
): EditKind<RedactEdit> {
  return {
    ...{ name, syntax, summary, isSecret: true },
    parse(text) {
      const targets = targetsOf(text, options);
      return { targets, fill: fillOf(targets) };
    },
    lookedFor: () => "no memory, queue or deleted file of the image holds it",
    plan(edits, editor) {
      for (const { edit, args } of edits) redactAll(editor, edit, args);
      editor.notes.add(
        "names and other fields of records are not redacted (crimg find looks there), nor are file systems in images, logs and other files of an archive, and older entries of the edit log",
      );
    },
  };
}

const FILLS = [0x2a, 0x58, 0x00] as const;
const TRIED_BYTES = 4096;

/** A byte of which many are no match. Errors: USAGE where all are. */
function fillOf(targets: readonly Target[]): number {
  const isMatch = (fill: number): boolean => {
    const bytes = Buffer.alloc(TRIED_BYTES, fill);
    const window = { address: 0n, bytes, from: 0, to: bytes.length };
    return new Finder(targets, 0).find([window]).length > 0;
  };
  const fill = FILLS.find((each) => !isMatch(each));
  if (fill === undefined) throw new UsageError("the pattern matches whatever would be written in its place");
  return fill;
}

function redactAll(editor: Editor, edit: Edit, { targets, fill }: RedactEdit): void {
  const redacted = editor.once("redacted", () => new Map<string, ByteRanges>());
  const unsearched: Unsearched = { lazy: 0, missing: 0, errors: [] };
  for (const match of searchStored(searchable(editor.checkpoint), new Finder(targets, 0), unsearched)) {
    const fresh = freshBytes(match, fill);
    let done = 0;
    for (const part of match.parts()) {
      overwrite(editor, edit, part, { match, redacted, bytes: fresh.subarray(done, done + part.size) });
      done += part.size;
    }
  }
  const [error] = unsearched.errors;
  if (error !== undefined)
    throw new EditError(`what cannot be read is not redacted: ${error.message}`, { cause: error });
  const { lazy, missing } = unsearched;
  if (lazy > 0) editor.warnings.add(`${lazy} pages left in the dumped task may hold it`);
  if (missing > 0) editor.warnings.add(`${missing} pages missing in the parent sets may hold it`);
}

/** Of UTF-16 every second byte is 0. */
function freshBytes({ start, end, encoding }: StoredMatch, fill: number): Buffer {
  const bytes = Buffer.alloc(end - start, fill);
  if (encoding === "utf-16le") for (let at = 1; at < bytes.length; at += 2) bytes[at] = 0;
  return bytes;
}

interface Overwriting {
  readonly match: StoredMatch;
  /** By file, what edits have overwritten: their matches may overlap. */
  readonly redacted: Map<string, ByteRanges>;
  readonly bytes: Buffer;
}

/** Errors: EDIT, UNSUPPORTED for a page that is not plainly in this image. */
function overwrite(
  editor: Editor,
  edit: Edit,
  part: StoredPart,
  { match, redacted, bytes }: Overwriting,
): void {
  const { file, fileOffset: offset, level = 0, compressed = false, size } = part;
  const { place } = match;
  const where = place.address === undefined ? place.name : `the page at ${hex(place.address)}`;
  if (file === undefined || offset === undefined) throw new EditError(`${where} is not stored in this image`);
  assertPlain({ file, offset, level, isCompressed: compressed }, where);
  const ranges = redacted.get(file) ?? new ByteRanges();
  redacted.set(file, ranges);
  editor.matched(edit);
  const before = `${match.end - match.start} bytes of ${place.in} ${place.name}`.trimEnd();
  for (const [from, to] of [...ranges.missing(offset, offset + size)]) {
    const fresh = Buffer.from(bytes.subarray(from - offset, to - offset));
    editor.patchFile(edit, file, from, fresh, { before, after: "overwritten" });
    ranges.add(from, to);
  }
}
