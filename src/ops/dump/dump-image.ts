import { HEAD_MAGICS } from "../../formats/criu/detect.js";
import type { CriuImage, ImageRecord, PayloadRange } from "../../formats/criu/image.js";
import { hex } from "../../io/hex.js";
import { type DumpRange, messageRanges } from "./message-ranges.js";

/**
 * The ranges of an image file with the record and field of each, without gap or overlap. Payloads and raw images are one
 * range each and are not read.
 * Errors: FormatError for a damaged image, after the ranges before the damage.
 */
export function* dumpImage(image: CriuImage): Generator<DumpRange> {
  const { header, source } = image;
  if (header === undefined) {
    if (source.size > 0) yield { offset: 0, size: source.size, what: "raw", owner: image.fileName };
    return;
  }
  const { head, kind } = header;
  if (head !== "none")
    yield { offset: 0, size: 4, what: "magic", owner: "", text: `${head} (${hex(HEAD_MAGICS[head])})` };
  const magic = `${kind.name} (${hex(kind.magic as number)})`;
  yield { offset: header.size - 4, size: 4, what: "magic", owner: "", text: magic };
  for (const record of image.readRecords()) yield* recordRanges(record);
}

function* recordRanges(record: ImageRecord): Generator<DumpRange> {
  const path = `[${record.index}]`;
  yield sizeWord(record.offset, record.size, path, record.table.name);
  yield* messageRanges(record.table, record.bytes, record.offset, path);
  for (const range of record.payload) yield* payloadRanges(range, path);
}

function* payloadRanges(
  { name, offset, size, padding, message }: PayloadRange,
  path: string,
): Generator<DumpRange> {
  const owner = `${path}.${name}`;
  if (message !== undefined) {
    yield sizeWord(offset, size, owner, message.table.name);
    yield* messageRanges(message.table, message.bytes, offset, owner);
  } else if (size > 0) yield { offset, size, what: "payload", owner };
  if (padding > 0) yield { offset: offset + size, size: padding, what: "padding", owner };
}

function sizeWord(messageOffset: number, size: number, owner: string, table: string): DumpRange {
  return { offset: messageOffset - 4, size: 4, what: "size", owner, text: `${table}, ${size} bytes` };
}
