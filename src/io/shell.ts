import { hasRawBytes, textToBytes } from "./text.js";

/** Characters that a terminal interprets or hides: controls, bidi overrides, unusual line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Words that need no quotes in any POSIX shell. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * One word of a command line to paste into sh, bash or zsh. Text is quoted with `'`; control
 * characters and bytes that are not UTF-8 (lone surrogates in `word`, see text.ts) need the `$'…'` of bash and zsh.
 */
export function shellQuote(word: string): string {
  if (PLAIN_WORD.test(word)) return word;
  if (!hasRawBytes(word) && !UNSEEN.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  let quoted = "";
  for (const byte of textToBytes(word)) quoted += dollarQuoted(byte);
  return `$'${quoted}'`;
}

/** Empty arguments at the end of a command line, which programs leave that write their title over it. */
const SHOWN_EMPTY = 3;

/** A command line as people read it: many empty arguments at its end are counted, not written out. */
export function shownCommand(words: readonly string[]): string {
  const last = words.findLastIndex((word) => word !== "") + 1;
  const empty = words.length - last;
  if (empty <= SHOWN_EMPTY) return shellCommand(words);
  return `${shellCommand(words.slice(0, last))} (and ${empty} empty arguments)`;
}

/** A command line of several words. */
export function shellCommand(words: Iterable<string>): string {
  return Array.from(words, shellQuote).join(" ");
}

/**
 * A command line with more at its end, which is text for the shell. Options behind `--` in it come behind those that
 * `words` has there, all others in front of them.
 */
export function extendedCommand(words: readonly string[], more: string): string {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const [, own = "", passed = ""] = /^(.*?)(?:(?:^| )-- (.*))?$/s.exec(more.trim()) ?? [];
  const behind = [shellCommand(words.slice(end + 1)), passed].filter((part) => part !== "");
  const front = [shellCommand(words.slice(0, end)), own].filter((part) => part !== "");
  return [...front, ...(behind.length === 0 ? [] : ["--", ...behind])].join(" ");
}

function dollarQuoted(byte: number): string {
  const char = String.fromCharCode(byte);
  if (char === "'" || char === "\\") return `\\${char}`;
  return byte >= 0x20 && byte < 0x7f ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
}
