import type { LinuxCrImage, Range } from "../../formats/linux-cr/image.js";
import { HEADER_BYTES } from "../../formats/linux-cr/scan.js";
import { bytesToText } from "../../io/text.js";
import { leafText, structLeaves } from "../../schema/struct-fields.js";
import { readStruct } from "../../schema/struct-reader.js";
import type { DumpRange } from "./message-ranges.js";

const MAX_TEXT_BYTES = 4096;

/**
 * The ranges of a linux-cr stream with the record and field of each, without gap or overlap. Payloads and pages are one
 * range each; only texts are read.
 * Errors: FormatError for a truncated or damaged image, after all its ranges.
 */
export function* dumpStream(image: LinuxCrImage): Generator<DumpRange> {
  for (let i = 0; i < image.length; i++) yield* recordRanges(image, i);
  const { ending } = image;
  if (ending.rest > 0)
    yield {
      offset: ending.offset,
      size: ending.rest,
      what: "unknown",
      owner: "",
      text: ending.kind === "tail" ? "after the end of the image" : "incomplete record",
    };
  if (ending.error !== undefined) throw ending.error;
}

function* recordRanges(image: LinuxCrImage, index: number): Generator<DumpRange> {
  const { offset, size } = image.range(index);
  const owner = `[${index}]`;
  yield { offset, size: 4, what: "tag", owner, text: `${image.label(index)} (${image.id(index)})` };
  yield { offset: offset + 4, size: 4, what: "length", owner, text: `${size} bytes` };
  const payload = image.payload(index);
  yield* fieldRanges(image, index, payload.offset);
  const end = offset + size;
  const holds = image.kind(index)?.payload;
  if (payload.size > 0) {
    const isText = holds === "text" || holds === "path";
    const text = isText ? { text: shownText(image, payload) } : {};
    const what = image.kind(index) === undefined ? "unknown" : holds === undefined ? "padding" : "payload";
    yield { ...payload, what, owner, ...text };
  }
  yield* gap(owner, payload.offset + payload.size, end);
  const page = image.rawPage(index);
  if (page !== undefined) yield { ...page, what: "raw", owner, text: "a page without a record header" };
}

/** A text up to its NUL, or the start of one longer than any path. */
function shownText(image: LinuxCrImage, { offset, size }: Range): string {
  const bytes = image.read(offset, Math.min(size, MAX_TEXT_BYTES));
  const end = bytes.indexOf(0);
  const text = JSON.stringify(bytesToText(end === -1 ? bytes : bytes.subarray(0, end)));
  return end === -1 && size > MAX_TEXT_BYTES ? `${text}… (${size} bytes)` : text;
}

function* fieldRanges(image: LinuxCrImage, index: number, end: number): Generator<DumpRange> {
  const { offset, size } = image.range(index);
  const owner = `[${index}]`;
  const table = image.layout(index);
  let at = offset + HEADER_BYTES;
  if (table !== undefined && size >= table.size) {
    const bytes = image.read(offset, table.size);
    const value = readStruct(table, bytes, image.byteOrder) as Readonly<Record<string, unknown>>;
    for (const leaf of structLeaves(table, value)) {
      const start = offset + leaf.offset;
      yield* gap(owner, at, start);
      yield {
        offset: start,
        size: leaf.size,
        what: "value",
        owner: `${owner}.${leaf.path}`,
        text: leafText(leaf),
      };
      at = start + leaf.size;
    }
  }
  yield* gap(owner, at, end);
}

function* gap(owner: string, start: number, end: number): Generator<DumpRange> {
  const range: Range = { offset: start, size: end - start };
  if (range.size > 0) yield { ...range, what: "padding", owner };
}
