/** Nothing to escape: the common case, and the fast one. */
const PLAIN = /^[ -~]*$/;

/** Controls (C0, DEL, C1), format characters (bidi, zero width), line separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };

/**
 * Escapes text from an image for one line of a terminal: control characters as `\n` or `\x1b`; format characters such
 * as bidi overrides as `\u{202e}`; bytes that are not UTF-8, which the library reads as the lone surrogates
 * U+DC80..U+DCFF, as `\xNN`. Other text, including a backslash, is unchanged.
 */
export function escapeText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, escapeOne);
}

function escapeOne(char: string): string {
  const code = char.codePointAt(0) as number;
  const byte = code < 0x80 ? code : code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : undefined;
  if (byte === undefined) return `\\u{${code.toString(16)}}`;
  return SHORT[char] ?? `\\x${byte.toString(16).padStart(2, "0")}`;
}
