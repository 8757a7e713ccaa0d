import { createHash } from "node:crypto";
import { FormatError } from "../../io/errors.js";
import { MAX_EDIT_LOG_BYTES, MAX_EDIT_LOG_VALUES } from "../../io/limits.js";
import { valuesIn } from "../../io/parsed-json.js";
import type { ByteSource } from "../../io/source.js";

/** A line of a log. */
export interface LogLine {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** Where it stands; `end` is behind the newline. */
  readonly start: number;
  readonly end: number;
  /** SHA-256 with the newline. */
  readonly digest: string;
  /** At least as many JSON values as it holds. */
  readonly values: number;
}

const NEWLINE = 0x0a;

/**
 * The lines of a log, the first one first; what a log may have is checked before anything is parsed.
 * Errors: FormatError TOO_LARGE; TRUNCATED when the last line does not end.
 */
export function* linesOf(source: ByteSource): Generator<LogLine> {
  const file = source.name;
  if (source.size > MAX_EDIT_LOG_BYTES)
    throw new FormatError(
      "TOO_LARGE",
      `the edit log has ${source.size} bytes, at most ${MAX_EDIT_LOG_BYTES} are read; move it away to go on without it`,
      { file },
    );
  const log = source.read(0, source.size);
  if (log.length > 0 && log.at(-1) !== NEWLINE)
    throw new FormatError("TRUNCATED", "truncated: the last line of the edit log does not end", { file });
  let total = 0;
  for (let start = 0; start < log.length; ) {
    const end = log.indexOf(NEWLINE, start) + 1;
    const values = valuesIn(log.subarray(start, end));
    total += values;
    if (total > MAX_EDIT_LOG_VALUES)
      throw new FormatError(
        "TOO_LARGE",
        `the edit log holds more than ${MAX_EDIT_LOG_VALUES} values; move it away to go on without it`,
        { file },
      );
    const digest = createHash("sha256").update(log.subarray(start, end)).digest("hex");
    yield { bytes: log.subarray(start, end - 1), start, end, digest, values };
    start = end;
  }
}
