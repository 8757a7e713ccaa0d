import { UsageError } from "../../io/errors.js";
import { textToBytes } from "../../io/text.js";

/** How a text is stored; `bytes` for a pattern that is no text. */
export type Encoding = "utf-8" | "utf-16le" | "bytes";

export interface PatternOptions {
  /** A JavaScript regular expression over bytes; other characters than ASCII are their UTF-8. */
  readonly regex?: boolean | undefined;
  /** Bytes in hexadecimal, with `?` for any digit. */
  readonly hex?: boolean | undefined;
  /** Texts in UTF-16 (little-endian) too. */
  readonly utf16?: boolean | undefined;
  readonly ignoreCase?: boolean | undefined;
  /** Whole texts of at least so many printable ASCII characters in which the pattern is found; it may be empty. */
  readonly strings?: number | undefined;
}

/** What is looked for in one encoding: bytes, or an expression over them read as Latin-1. */
export interface Target {
  readonly encoding: Encoding;
  readonly bytes?: Buffer;
  readonly regexp?: RegExp;
  /** Whether what the expression found is meant. */
  readonly accepts?: (found: string) => boolean;
}

const PRINTABLE = "[\\t -~]";
const MAX_STRING_LENGTH = 8 * 1024;
const MAX_PATTERN_LENGTH = 64 * 1024;

/**
 * What is looked for, an expression or bytes for each encoding. Errors: USAGE for an empty or invalid pattern, or options
 * that do not go together.
 */
export function targetsOf(pattern: string, options: PatternOptions): readonly Target[] {
  const { regex = false, hex = false, utf16 = false, ignoreCase = false, strings } = options;
  if (regex && hex) throw new UsageError("a pattern is a regular expression or hexadecimal, not both");
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new UsageError(`pattern of ${pattern.length} characters (expected at most ${MAX_PATTERN_LENGTH})`);
  if (strings !== undefined) return stringTargets(pattern, strings, options);
  if (pattern === "") throw new UsageError("empty pattern");
  if (hex) {
    if (utf16 || ignoreCase) throw new UsageError("hexadecimal patterns are bytes, without case or encoding");
    return [hexTarget(pattern)];
  }
  if (regex) {
    if (utf16) throw new UsageError("a regular expression is over bytes; --utf16 takes a text");
    return [{ encoding: "utf-8", regexp: expression(pattern, ignoreCase) }];
  }
  const encodings: readonly Encoding[] = utf16 ? ["utf-8", "utf-16le"] : ["utf-8"];
  return encodings.map((encoding) =>
    ignoreCase
      ? { encoding, regexp: new RegExp(anyCase(pattern, encoding), "g") }
      : { encoding, bytes: encoded(pattern, encoding) },
  );
}

function encoded(text: string, encoding: Encoding): Buffer {
  return encoding === "utf-16le" ? Buffer.from(text, "utf16le") : textToBytes(text);
}

/** Errors: USAGE. */
function hexTarget(pattern: string): Target {
  const digits = pattern.replace(/\s+/g, "").toLowerCase();
  if (!/^(?:[0-9a-f?]{2})+$/.test(digits))
    throw new UsageError(
      `invalid hexadecimal pattern ${JSON.stringify(pattern)} (expected pairs of digits, such as "7f 45 4? ??")`,
    );
  if (!digits.includes("?")) return { encoding: "bytes", bytes: Buffer.from(digits, "hex") };
  if (/^\?+$/.test(digits)) throw new UsageError("a hexadecimal pattern needs a digit that is not ?");
  const source = (digits.match(/../g) as string[]).map(hexByte).join("");
  return { encoding: "bytes", regexp: new RegExp(source, "g") };
}

/** A byte as an expression: `7f`, `4?`, `?f`, `??`. */
function hexByte(pair: string): string {
  if (pair === "??") return "[^]";
  if (!pair.includes("?")) return `\\x${pair}`;
  const all = [..."0123456789abcdef"].map((digit) => `\\x${pair.replace("?", digit)}`);
  return `[${all.join("")}]`;
}

/** Each character in lower and upper case, as bytes of an encoding. */
function anyCase(text: string, encoding: Encoding): string {
  return [...text]
    .map((char) => {
      const forms = new Set([char, char.toLowerCase(), char.toUpperCase()]);
      const all = [...forms].map((form) => bytesSource(encoded(form, encoding)));
      return all.length === 1 ? all[0] : `(?:${all.join("|")})`;
    })
    .join("");
}

function bytesSource(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** An expression of the user over bytes. Errors: USAGE. */
function expression(source: string, ignoreCase: boolean): RegExp {
  if (/\\[pP]\{|\\u\{/.test(source))
    throw new UsageError("\\p{…} and \\u{…} are not supported: a regular expression is over bytes");
  try {
    new RegExp(source);
    const compiled = new RegExp(overBytes(source, ignoreCase), ignoreCase ? "gim" : "gm");
    if (new RegExp(compiled.source, "m").test(""))
      throw new UsageError("the regular expression matches the empty text");
    return compiled;
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`invalid regular expression: ${error.message}`);
    throw error;
  }
}

/** Characters that are several bytes become groups of these. */
function overBytes(source: string, ignoreCase: boolean): string {
  if (/^[\0-\x7f]*$/.test(source)) return source;
  if (ignoreCase)
    throw new UsageError(
      "-i with a regular expression takes ASCII characters only; write others as (?:Ä|ä) without -i",
    );
  let inClass = false;
  let out = "";
  for (let at = 0; at < source.length; ) {
    const char = String.fromCodePoint(source.codePointAt(at) as number);
    if (char === "\\") {
      out += source.slice(at, at + 2);
      at += 2;
      continue;
    }
    if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    if (char > "\x7f" && inClass)
      throw new UsageError(`${char} in [ ] is several bytes; write (?:${char}|…)`);
    out += char > "\x7f" ? `(?:${bytesSource(textToBytes(char))})` : char;
    at += char.length;
  }
  return out;
}

/** Errors: USAGE. */
function stringTargets(pattern: string, least: number, options: PatternOptions): readonly Target[] {
  if (options.hex === true) throw new UsageError("--strings are texts; a hexadecimal pattern is not");
  const { utf16 = false, regex = false, ignoreCase = false } = options;
  const count = `{${least},${Math.max(least, MAX_STRING_LENGTH)}}`;
  const accepts = pattern === "" ? undefined : acceptorOf(pattern, regex, ignoreCase);
  const narrow: Target = {
    encoding: "utf-8",
    regexp: new RegExp(`${PRINTABLE}${count}`, "g"),
    ...(accepts && { accepts }),
  };
  if (!utf16) return [narrow];
  const wide = (found: string): boolean => accepts?.(found.replaceAll("\0", "")) ?? true;
  return [
    narrow,
    { encoding: "utf-16le", regexp: new RegExp(`(?:${PRINTABLE}\\0)${count}`, "g"), accepts: wide },
  ];
}

function acceptorOf(pattern: string, regex: boolean, ignoreCase: boolean): (found: string) => boolean {
  if (regex) {
    const { source, flags } = expression(pattern, ignoreCase);
    const wanted = new RegExp(source, flags.replace("g", ""));
    return (found) => wanted.test(found);
  }
  const wanted = ignoreCase ? pattern.toLowerCase() : pattern;
  return (found) => (ignoreCase ? found.toLowerCase() : found).includes(wanted);
}
