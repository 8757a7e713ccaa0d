import type { LinuxCrImage, Range } from "../../formats/linux-cr/image.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { jsonString } from "../../io/ascii-json.js";
import { bytesToText } from "../../io/text.js";
import { humanSize } from "./payload-to-json.js";

/** Bytes of the image for one base64 string, or a list of strings of `each` bytes. */
export interface Stretch extends Range {
  readonly each?: number;
  /** Line break before each item of a list, "" for one line. */
  readonly indent?: string;
}

/** Multiple of 3, so that base64 can be concatenated from pieces. */
const PIECE = 48 * 1024;

/** A longer text is given as data. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** Minimum page size. */
const LEAST_PAGE_BYTES = 1024;

/** A range as base64, of which only a piece is in memory. */
export function* stretchPieces(
  image: LinuxCrImage,
  { offset, size, each, indent = "" }: Stretch,
): Generator<string> {
  if (each === undefined) {
    for (let done = 0; done < size; done += PIECE)
      yield image.read(offset + done, Math.min(PIECE, size - done)).toString("base64");
    return;
  }
  const inner = indent === "" ? "" : `${indent}    `;
  for (let done = 0; done < size; done += each)
    yield `${done === 0 ? inner : `,${inner || " "}`}"${image.read(offset + done, each).toString("base64")}"`;
}

/** `... <1.5KB>`, the replacement of bytes. */
export function sizeNote(size: number): string {
  return `... <${humanSize(size)}>`;
}

/** `text` without its NUL, and `textBytes` if not followed by exactly one; undefined for a long one. */
export function textMembers(image: LinuxCrImage, payload: Range): string[] | undefined {
  if (payload.size > MAX_TEXT_BYTES) return undefined;
  const bytes = image.read(payload.offset, payload.size);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = `"text": ${jsonString(bytesToText(bytes.subarray(0, end)))}`;
  return end + 1 === bytes.length ? [text] : [`${text}, "textBytes": ${bytes.length}`];
}

/** Addresses and pages of a BUFFER after a PGARR; undefined for any other, and for one with the wrong size. */
export function pagesOf(
  image: LinuxCrImage,
  index: number,
  payload: Range,
): { addresses: string[]; all: Range; pageSize: number } | undefined {
  if (index === 0 || image.kind(index - 1) !== RECORDS.PGARR) return undefined;
  if (image.range(index - 1).size < RECORDS.PGARR.layouts[0].table.size) return undefined;
  const { nr_pages: stored } = image.value(index - 1, RECORDS.PGARR);
  const count = Number(stored);
  const { wordBytes } = image.dialect.arch;
  const pageSize = payload.size / count - wordBytes;
  if (!Number.isInteger(pageSize) || pageSize < LEAST_PAGE_BYTES) return undefined;
  const bytes = image.read(payload.offset, count * wordBytes);
  const isLittle = image.byteOrder === "little-endian";
  const addresses = Array.from({ length: count }, (_, i) => {
    const at = i * wordBytes;
    if (wordBytes === 8) return isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
    return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }).map((address) => `"0x${address.toString(16)}"`);
  const keys = count * wordBytes;
  return { addresses, all: { offset: payload.offset + keys, size: payload.size - keys }, pageSize };
}
