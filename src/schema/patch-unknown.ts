import { fieldScalar, wireTypeOf } from "./decode.js";
import type { Field, MessageTable, UnknownField } from "./message.js";
import { type WireSpan, WireWriter, wireSpans } from "./wire.js";

/** Whether a field of the table has that wire type; lists may also be packed. Other fields are unknown. */
export function isOwnWireType(field: Field, span: WireSpan): boolean {
  const scalar = fieldScalar(field);
  if (span.wireType === wireTypeOf(scalar)) return true;
  return field.label === "repeated" && field.packed !== "never" && span.wireType === 2;
}

/**
 * Replaces the unknown fields of an encoded message. If all numbers and wire types stay, fields keep their places;
 * otherwise all are removed and inserted by number.
 */
export function patchUnknown(table: MessageTable, bytes: Buffer, list: readonly UnknownField[]): Buffer {
  const fields = Object.values(table.fields);
  const isUnknown = (span: WireSpan): boolean =>
    !fields.some((field) => field.number === span.number && isOwnWireType(field, span));
  const spans = wireSpans(bytes);
  const unknown = spans.filter(isUnknown);
  const keepsPlaces =
    unknown.length === list.length &&
    unknown.every((span, i) => span.number === list[i]?.number && span.wireType === list[i]?.wireType);
  const writer = new WireWriter();
  if (keepsPlaces) {
    let next = 0;
    for (const span of spans) {
      const field = isUnknown(span) ? (list[next++] as UnknownField) : undefined;
      if (field === undefined || field.data.equals(bytes.subarray(span.contentStart, span.end)))
        writer.bytes(bytes.subarray(span.start, span.end));
      else writeUnknown(writer, field, bytes.subarray(span.start, span.valueStart));
    }
    return writer.take();
  }
  const added = [...list];
  for (const span of spans) {
    if (isUnknown(span)) continue;
    while ((added[0]?.number ?? span.number) < span.number)
      writeUnknown(writer, added.shift() as UnknownField);
    writer.bytes(bytes.subarray(span.start, span.end));
  }
  for (const field of added) writeUnknown(writer, field);
  return writer.take();
}

function writeUnknown(writer: WireWriter, { number, wireType, data }: UnknownField, tag?: Buffer): void {
  if (tag === undefined) writer.uint32(((number << 3) | wireType) >>> 0);
  else writer.bytes(tag);
  if (wireType === 2) writer.uint32(data.length);
  writer.bytes(data);
}
