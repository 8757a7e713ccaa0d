import { asciiJson, jsonString } from "../index.js";

/** Name and version of the schema of `--json` answers; new keys may be added. */
export const JSON_SCHEMA = "crimg/1";

const CHUNK = 64 * 1024;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Writes `value` as indented JSON in chunks of about 64 KiB, so that large answers need little memory.
 * A bigint becomes a number up to 2^53-1 and a decimal string above; bytes become base64; a Map an object; any other
 * iterable an array, consumed while it is written; undefined values are omitted. The output is ASCII; lone surrogates in
 * text, which stand for bytes that are not UTF-8, are written as `\udcNN`.
 */
export function writeJson(value: unknown, write: (chunk: string) => void): void {
  let pending = "";
  const put = (text: string): void => {
    pending += text;
    if (pending.length < CHUNK) return;
    write(pending);
    pending = "";
  };
  putValue(value, "\n", put);
  write(`${pending}\n`);
}

/** The same in one line. */
export function writeJsonLine(value: unknown, write: (chunk: string) => void): void {
  let line = "";
  putValue(value, "", (text) => {
    line += text;
  });
  write(`${line}\n`);
}

type Put = (text: string) => void;

function putValue(value: unknown, newline: string, put: Put): void {
  if (typeof value === "bigint") put(bigintJson(value));
  else if (typeof value !== "object" || value === null) put(scalarJson(value));
  else if (value instanceof Uint8Array) put(`"${base64(value)}"`);
  else if (value instanceof Map) putMembers(value, newline, put);
  else if (Symbol.iterator in value) putItems(value as Iterable<unknown>, newline, put);
  else if (newline !== "" && hasScalarsOnly(value)) put(scalarMembers(value, newline));
  else putMembers(Object.entries(value), newline, put);
}

function hasScalarsOnly(value: object): boolean {
  return Object.values(value).every(
    (member) => member === null || (typeof member !== "object" && typeof member !== "bigint"),
  );
}

/** Most objects of long answers, five times as fast as member by member; no text holds a bare line break. */
function scalarMembers(value: object, newline: string): string {
  return asciiJson(JSON.stringify(value, undefined, 2)).replaceAll("\n", newline);
}

/** Without `newline` all is in one line. */
function indented(newline: string): string {
  return newline === "" ? "" : `${newline}  `;
}

function putItems(items: Iterable<unknown>, newline: string, put: Put): void {
  const inner = indented(newline);
  let before = `[${inner}`;
  for (const item of items) {
    put(before);
    putValue(item, inner, put);
    before = `,${inner}`;
  }
  put(before.startsWith("[") ? "[]" : `${newline}]`);
}

function putMembers(members: Iterable<[unknown, unknown]>, newline: string, put: Put): void {
  const inner = indented(newline);
  let before = `{${inner}`;
  for (const [key, value] of members) {
    if (value === undefined) continue;
    put(`${before}${jsonString(String(key))}: `);
    putValue(value, inner, put);
    before = `,${inner}`;
  }
  put(before.startsWith("{") ? "{}" : `${newline}}`);
}

function scalarJson(value: unknown): string {
  return typeof value === "string" ? jsonString(value) : (JSON.stringify(value) ?? "null");
}

function bigintJson(value: bigint): string {
  return value <= SAFE && value >= -SAFE ? value.toString() : `"${value}"`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
