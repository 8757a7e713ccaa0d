import { type ImageHeader, magicName } from "../../formats/criu/detect.js";
import type { CriuImage, ImageRecord } from "../../formats/criu/image.js";
import { UnsupportedError } from "../../io/errors.js";
import { ReadWindow } from "../../io/window.js";
import { isCanonical } from "../../schema/canonical.js";
import { base64Lines } from "../../schema/json-bytes.js";
import { bracketed, messageMembers } from "../../schema/to-json.js";
import { paddingMember, payloadPieces, payloadRule, payloadSizeNote } from "./payload-to-json.js";
import { PlainRecords } from "./plain-records.js";

export interface DecodeOptions {
  /** Show numbers as their fields specify (hexadecimal, flags, addresses), one member per line. */
  readonly pretty?: boolean;
  /** Give only the size of payloads; such JSON cannot be encoded. */
  readonly noPayload?: boolean;
}

interface Layout {
  readonly pretty: boolean;
  readonly noPayload: boolean;
  readonly member: string;
  readonly record: string;
  readonly nextRecord: string;
  readonly end: string;
}

const CHUNK = 16 * 1024;

/** Placeholder for a payload of any length; cannot occur in JSON text. */
const PAYLOAD_MARK = "\0";

/**
 * An image as JSON that parses equal to that of crit, in pieces of about 16 KiB, so that not all records or payloads are
 * in memory. What crit would lose is in extra keys, which appear only when needed: `_byte_order` and `_head` beside
 * `magic`; in a record `_unknown` (fields unknown to the table), `_wire` (the record's bytes, if encoding its fields would
 * give others) and `_padding` (if not all zero).
 * Errors: FormatError for a damaged image, UnsupportedError for a raw one.
 */
export function* decodeImage(image: CriuImage, options: DecodeOptions = {}): Generator<string> {
  const { header } = image;
  if (header === undefined)
    throw new UnsupportedError("cannot decode a raw image (it has no records)", {
      file: image.source.name,
    });
  const layout = layoutOf(options);
  let pending = `{${layout.member}${[...headerMembers(header), '"entries": ['].join(`,${layout.member || " "}`)}`;
  for (const piece of recordsPieces(image, header, layout)) {
    pending += piece;
    if (pending.length < CHUNK) continue;
    yield pending;
    pending = "";
  }
  const hasRecords = image.source.size > header.size;
  yield `${pending}${hasRecords ? layout.member : ""}]${layout.end}\n`;
}

function layoutOf({ pretty = false, noPayload = false }: DecodeOptions): Layout {
  return pretty
    ? { pretty, noPayload, member: "\n    ", record: "\n        ", nextRecord: ",\n        ", end: "\n}" }
    : { pretty, noPayload, member: "", record: "", nextRecord: ", ", end: "}" };
}

function headerMembers({ kind, byteOrder, head }: ImageHeader): string[] {
  const members = [`"magic": "${magicName(kind)}"`];
  if (byteOrder !== "little-endian") members.push(`"_byte_order": "${byteOrder}"`);
  if (head !== kind.head) members.push(`"_head": "${head}"`);
  return members;
}

/** The records and payloads; records are written straight from their bytes if possible. */
function* recordsPieces(image: CriuImage, header: ImageHeader, layout: Layout): Generator<string> {
  const window = new ReadWindow(image.source);
  const plain = layout.pretty ? undefined : PlainRecords.of(image, window);
  let offset = header.size;
  for (let index = 0; offset < image.source.size; ) {
    yield index === 0 ? layout.record : layout.nextRecord;
    const run = plain?.read(index, offset);
    if (run !== undefined && run.index > index) {
      yield run.text;
      ({ index, offset } = run);
    } else {
      const record = image.readRecordAt(window, index++, offset);
      yield* recordPieces(image, header, record, layout);
      offset = record.end;
    }
  }
}

function recordPieces(
  image: CriuImage,
  header: ImageHeader,
  record: ImageRecord,
  layout: Layout,
): Iterable<string> {
  const { table, value, bytes, payload } = record;
  const members = messageMembers(table, value, layout, layout.record);
  if (!isCanonical(table, value, bytes)) members.push(`"_wire": "${base64Lines(bytes)}"`);
  const rule = payloadRule(header.kind, table);
  if (rule === undefined || (rule.isExtraOptional === true && rule.when?.(value) === false))
    return [bracketed(members, "{}", layout.record)];
  if (layout.noPayload) {
    if (rule.isExtraOptional !== true) members.push(`"extra": "${payloadSizeNote(rule, value, payload)}"`);
    return [bracketed(members, "{}", layout.record)];
  }
  members.push(...paddingMember(image, rule, payload), `"extra": ${PAYLOAD_MARK}`);
  const [start = "", end = ""] = bracketed(members, "{}", layout.record).split(PAYLOAD_MARK);
  return around(start, payloadPieces(image, header, rule, payload, memberIndent(layout)), end);
}

function* around(start: string, pieces: Iterable<string>, end: string): Generator<string> {
  yield start;
  yield* pieces;
  yield end;
}

function memberIndent({ pretty, record }: Layout): string {
  return pretty ? `${record}    ` : "";
}
