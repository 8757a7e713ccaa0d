import { CrimgError } from "./errors.js";

/**
 * Bytes as text without loss. Valid UTF-8 reads as itself; each byte that is not part of valid UTF-8 becomes
 * the lone surrogate U+DC00 + byte (the convention of Python's "surrogateescape"), which valid UTF-8 can
 * never yield, so `textToBytes(bytesToText(b))` gives back `b` for every `b`.
 */
export function bytesToText(bytes: Buffer): string {
  const text = bytes.toString("utf8", 0, bytes.length);
  return text.includes("\ufffd") ? decodeWithEscapes(bytes) : text;
}

/**
 * The inverse of `bytesToText`. Errors: CrimgError INVALID for lone surrogates other than U+DC80..U+DCFF, which stand for
 * no byte but can occur in JSON and YAML.
 */
export function textToBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const parts: Buffer[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(Buffer.of(code - 0xdc00));
    else if (code >= 0xd800 && code <= 0xdfff)
      throw new CrimgError(
        "INVALID",
        `invalid lone surrogate U+${code.toString(16).toUpperCase()} in text (expected U+DC80 to U+DCFF)`,
      );
    else parts.push(Buffer.from(char, "utf8"));
  }
  return Buffer.concat(parts);
}

/** Whether `text` represents bytes that are not valid UTF-8. */
export function hasRawBytes(text: string): boolean {
  return !text.isWellFormed();
}

function decodeWithEscapes(bytes: Buffer): string {
  let text = "";
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = utf8SequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += bytes.toString("utf8", start, at) + String.fromCharCode(0xdc00 + (bytes[at] as number));
    at += 1;
    start = at;
  }
  return text + bytes.toString("utf8", start, bytes.length);
}

/** Length of the valid UTF-8 sequence at `at` (RFC 3629: no overlongs, no surrogates, up to U+10FFFF), 0 if none. */
function utf8SequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf
      ? 2
      : first >= 0xe0 && first <= 0xef
        ? 3
        : first >= 0xf0 && first <= 0xf4
          ? 4
          : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1] as number;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  return length;
}
