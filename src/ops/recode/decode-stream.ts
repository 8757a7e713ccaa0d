import type { LinuxCrImage, Range } from "../../formats/linux-cr/image.js";
import { layoutOf, type RecordKind } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { HEADER_BYTES } from "../../formats/linux-cr/scan.js";
import type { StructTable, StructValue } from "../../schema/struct.js";
import { structJson } from "../../schema/struct-to-json.js";
import { writeStruct } from "../../schema/struct-writer.js";
import { bracketed } from "../../schema/to-json.js";
import { elementsOf } from "./stream-elements.js";
import { pagesOf, type Stretch, sizeNote, stretchPieces, textMembers } from "./stream-payload.js";

export interface DecodeStreamOptions {
  /** Show flags by name, one member per line. */
  readonly pretty?: boolean;
  /** Give only the size of data and pages; such JSON cannot be encoded. */
  readonly noPayload?: boolean;
  /** Give offsets instead of pages; encode then reads the pages from the image. */
  readonly leavePages?: boolean;
}

/** Name and version of the schema, which distinguishes it from the JSON of a CRIU image. */
export const STREAM_FORMAT = "linux-cr/1";

const CHUNK = 16 * 1024;

/** Text, or bytes of the image to be converted to text. */
type Piece = string | Stretch;

/**
 * A linux-cr stream as JSON, in pieces of about 16 KiB: an object with the format, byte order, header set, architecture
 * and the list of records. Each record has its name (an unknown one its id), its `fields`, and its payload: `text`,
 * `values`, `items`, `addresses` and `pages`, else `data`. Other bytes are in keys that appear only when needed: `_wire`
 * (the fixed part, if padding is not zero), `_padding` (after the values), `_raw` (all bytes of a record that is too short
 * for its fields), `page` (without a record header, after SOCKET_FRAG), and `_rest` beside the records (bytes that are not
 * a whole record). Nothing is lost, even of a truncated image, whose `ending` gives the reason.
 */
export function* decodeStream(image: LinuxCrImage, options: DecodeStreamOptions = {}): Generator<string> {
  const indent = options.pretty === true ? "\n    " : "";
  const { byteOrder, dialect, ending } = image;
  const head = [
    `"format": "${STREAM_FORMAT}"`,
    `"byteOrder": "${byteOrder}"`,
    `"revision": "${dialect.commit}"`,
    `"architecture": "${dialect.arch.name}"`,
    '"records": [',
  ];
  let pending = `{${indent}${head.join(`,${indent || " "}`)}`;
  const line = indent === "" ? "\n" : `${indent}    `;
  for (let index = 0; index < image.length; index++) {
    pending += index === 0 ? line : `,${line}`;
    for (const piece of recordPieces(image, index, options, indent === "" ? "" : line)) {
      if (typeof piece === "string") pending += piece;
      else
        for (const text of stretchPieces(image, piece)) {
          yield pending;
          pending = text;
        }
      if (pending.length < CHUNK) continue;
      yield pending;
      pending = "";
    }
  }
  yield `${pending}${indent || "\n"}]`;
  if (ending.rest > 0) {
    yield `,${indent || " "}"_rest": "`;
    if (options.noPayload === true) yield sizeNote(ending.rest);
    else yield* stretchPieces(image, { offset: ending.offset, size: ending.rest });
    yield '"';
  }
  yield `${indent === "" ? "" : "\n"}}\n`;
}

function* recordPieces(
  image: LinuxCrImage,
  index: number,
  options: DecodeStreamOptions,
  indent: string,
): Generator<Piece> {
  const inner = indent === "" ? "" : `${indent}    `;
  const kind = image.kind(index);
  const { offset, size } = image.range(index);
  const members: Piece[][] = [[`"record": ${kind === undefined ? image.id(index) : `"${kind.name}"`}`]];
  const body = { offset: offset + HEADER_BYTES, size: size - HEADER_BYTES };
  const table = image.layout(index);
  const least = Math.max(table?.size ?? 0, (kind?.payloadAt ?? 0) + (kind?.slack ?? 0));
  const read = ({ offset: at, size: bytes }: Range): Buffer => image.read(at, bytes);
  const dataMember = (key: string, range: Range): Piece[] =>
    options.noPayload === true ? [`"${key}": "${sizeNote(range.size)}"`] : [`"${key}": "`, range, '"'];

  if (size < least) members.push(dataMember("_raw", body));
  else {
    const payload = image.payload(index);
    if (kind !== undefined && table !== undefined) {
      const fixed = payload.offset - offset;
      const head = read({ offset, size: table.size });
      const value = image.fields(index);
      if (layoutOf(kind, image.dialect, 0, value.f_type as number | undefined) !== table)
        members.push([`"size": ${size}`]);
      members.push([`"fields": ${structJson(table, value, { pretty: options.pretty === true }, inner)}`]);
      const again = writeStruct(table, value as StructValue<StructTable>, image.byteOrder);
      if (!again.subarray(HEADER_BYTES, fixed).equals(head.subarray(HEADER_BYTES, fixed)))
        members.push([`"_wire": "${head.toString("base64", HEADER_BYTES, fixed)}"`]);
    }
    if (payload.size > 0)
      members.push(...payloadMembers(image, index, kind, payload, options, inner, dataMember));
    const end = payload.offset + payload.size;
    const slack = end < offset + size ? read({ offset: end, size: offset + size - end }) : undefined;
    if (slack?.some((byte) => byte !== 0)) members.push([`"_padding": "${slack.toString("base64")}"`]);
  }
  const page = image.rawPage(index);
  if (page !== undefined) members.push(dataMember("page", page));
  yield* joined(members, indent);
}

function payloadMembers(
  image: LinuxCrImage,
  index: number,
  kind: RecordKind | undefined,
  payload: Range,
  options: DecodeStreamOptions,
  indent: string,
  dataMember: (key: string, range: Range) => Piece[],
): Piece[][] {
  if (kind?.payload === "text" || kind?.payload === "path") {
    const members = textMembers(image, payload);
    if (members !== undefined) return [members];
  }
  const elements = elementsOf(image, kind, payload, { pretty: options.pretty === true }, indent);
  if (elements !== undefined) return [[elements]];
  const pages = kind === RECORDS.BUFFER ? pagesOf(image, index, payload) : undefined;
  if (pages === undefined) return [dataMember("data", payload)];
  const keys: Piece[] = [`"addresses": ${bracketed(pages.addresses, "[]", "")}`];
  if (options.noPayload === true) return [keys, [`"pages": "${sizeNote(pages.all.size)}"`]];
  if (options.leavePages === true)
    return [keys, [`"pages": {"offset": ${pages.all.offset}, "size": ${pages.all.size}}`]];
  return [keys, ['"pages": [', { ...pages.all, each: pages.pageSize, indent }, `${indent}]`]];
}

/** The members of a record in braces, formatted as by `bracketed`. */
function* joined(members: readonly (readonly Piece[])[], indent: string): Generator<Piece> {
  const inner = indent === "" ? "" : `${indent}    `;
  let before = `{${inner}`;
  for (const [first, ...others] of members) {
    yield `${before}${first}`;
    yield* others;
    before = `,${inner || " "}`;
  }
  yield `${indent}}`;
}
