import { ValueError } from "./encode.js";

/**
 * Bytes as in crit's JSON: base64 in lines of 76 columns, each with a line feed (Python's base64.encodebytes). The result
 * is the content of a JSON string, with escaped line feeds.
 */
export function base64Lines(bytes: Buffer): string {
  if (bytes.length === 0) return "";
  const text = bytes.toString("base64");
  return text.length <= LINE ? `${text}\\n` : text.replace(/.{1,76}/g, "$&\\n");
}

/** Number of bytes for whole lines of `base64Lines`, for writing a long value in pieces. */
export const BASE64_LINE_BYTES = 57;

const LINE = 76;

/** Base64 with or without line feeds and padding, in the usual or the URL alphabet. Errors: ValueError. */
export function parseBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/_\-\s]*(?:=\s*){0,2}$/.test(text)) throw new ValueError("invalid base64");
  return Buffer.from(text, "base64");
}

/**
 * Bytes as quoted-printable text (RFC 2045), as written by Python's quopri, which crit uses for the names of unix
 * sockets. Python does not decode every mix of CR and LF back; then all of them are written as =0D and =0A.
 */
export function quotedPrintable(bytes: Buffer): string {
  const text = encodeQuoted(bytes, true);
  return decodeQuoted(text).equals(bytes) ? text : encodeQuoted(bytes, false);
}

/** The bytes of quoted-printable text. Errors: ValueError for text that is not ASCII. */
export function parseQuotedPrintable(text: string): Buffer {
  if (/[^\0-\x7f]/.test(text)) throw new ValueError("invalid quoted-printable text: not ASCII");
  return decodeQuoted(text);
}

function encodeQuoted(bytes: Buffer, keepLineBreaks: boolean): string {
  const newline = bytes.indexOf(LF) > 0 && bytes[bytes.indexOf(LF) - 1] === CR ? "\r\n" : "\n";
  let text = "";
  let column = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const next = bytes[at + 1];
    const isBreak = keepLineBreaks && (byte === LF || (byte === CR && next === LF));
    if (isBreak) {
      text = `${quoteLastBlank(text)}${newline}`;
      column = 0;
      if (byte === CR) at++;
    } else if (mustQuote(byte, next, column, keepLineBreaks)) {
      if (column + 3 >= LINE) {
        text += `=${newline}`;
        column = 0;
      }
      text += quoted(byte);
      column += 3;
    } else {
      if (next !== undefined && next !== LF && column + 1 >= LINE) {
        text += `=${newline}`;
        column = 0;
      }
      text += String.fromCharCode(byte);
      column++;
    }
  }
  return text;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DOT = 46;
const EQUALS = 61;

function mustQuote(byte: number, next: number | undefined, column: number, keepLineBreaks: boolean): boolean {
  if (byte > 126 || byte === EQUALS) return true;
  if (byte === DOT) return column === 0 && (next === undefined || next === LF || next === CR || next === 0);
  if (byte === TAB || byte === SPACE) return next === undefined;
  if (byte === LF || byte === CR) return !keepLineBreaks;
  return byte < 33;
}

function quoted(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** A blank before a line break must be quoted, RFC 2045. */
function quoteLastBlank(text: string): string {
  return /[ \t]$/.test(text) ? `${text.slice(0, -1)}${quoted(text.charCodeAt(text.length - 1))}` : text;
}

function decodeQuoted(text: string): Buffer {
  const plain = text.replace(/=(?:([0-9A-Fa-f]{2})|\r?\n)/g, (_, hex: string | undefined) =>
    hex === undefined ? "" : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1");
}
