import { fieldScalar, readScalar, wireTypeOf } from "../../schema/decode.js";
import { type Field, fieldMessage, type MessageTable } from "../../schema/message.js";
import { isOwnWireType } from "../../schema/patch-unknown.js";
import { valueText } from "../../schema/to-json.js";
import { readSpan, WireReader, type WireSpan } from "../../schema/wire.js";

/** A range of the file and what it belongs to. Offset and size are in bytes. */
export interface DumpRange {
  readonly offset: number;
  readonly size: number;
  readonly what: "magic" | "size" | "tag" | "length" | "value" | "unknown" | "payload" | "padding" | "raw";
  /** Record and field, such as `[3].reg.name`; empty for the header. */
  readonly owner: string;
  /** The decoded value as text. */
  readonly text?: string;
}

const WIRE_TYPE_NAMES = { 0: "varint", 1: "64 bits", 2: "length-delimited", 5: "32 bits" } as const;
const SHOWN_BYTES = 16;

/** The ranges of an encoded message that starts at `base` in the file; `path` names the message. */
export function messageRanges(
  table: MessageTable,
  bytes: Buffer,
  base: number,
  path: string,
): Generator<DumpRange> {
  const walk: Walk = { bytes, base };
  return fieldsOf(walk, table, 0, bytes.length, path);
}

interface Walk {
  readonly bytes: Buffer;
  /** Offset of `bytes[0]` in the file. */
  readonly base: number;
}

function* fieldsOf(
  walk: Walk,
  table: MessageTable,
  start: number,
  end: number,
  path: string,
): Generator<DumpRange> {
  const fields = fieldsByNumber(table);
  const counts = new Map<Field, number>();
  const reader = new WireReader(walk.bytes, start, end);
  while (reader.pos < end) {
    const span = readSpan(reader);
    const candidates = fields.get(span.number) ?? NONE;
    const found = candidates.find(({ field }) => isOwnWireType(field, span));
    if (found === undefined) {
      const owner = `${path}.${candidates[0]?.name ?? span.number}`;
      yield* unknownRanges(walk, span, owner, candidates.length > 0);
      continue;
    }
    const { name, field } = found;
    const index = counts.get(field) ?? 0;
    const owner = field.label === "repeated" ? `${path}.${name}[${index}]` : `${path}.${name}`;
    const nested = fieldMessage(table, field);
    yield* tagAndLength(walk, span, owner);
    let elements = 1;
    if (nested !== undefined) yield* fieldsOf(walk, nested, span.contentStart, span.end, owner);
    else if (isPacked(field, span))
      elements = yield* packedRanges(walk, table, name, field, span, index, path);
    else yield* valueRange(walk, table, name, field, span, owner);
    counts.set(field, index + elements);
  }
}

interface NamedField {
  readonly name: string;
  readonly field: Field;
}

const known = new WeakMap<MessageTable, ReadonlyMap<number, readonly NamedField[]>>();
const NONE: readonly NamedField[] = [];

/** Two fields with one number are distinguished by wire type. */
function fieldsByNumber(table: MessageTable): ReadonlyMap<number, readonly NamedField[]> {
  const made = known.get(table);
  if (made !== undefined) return made;
  const fields = new Map<number, NamedField[]>();
  known.set(table, fields);
  for (const [name, field] of Object.entries(table.fields))
    fields.set(field.number, [...(fields.get(field.number) ?? []), { name, field }]);
  return fields;
}

function isPacked(field: Field, span: WireSpan): boolean {
  return span.wireType === 2 && wireTypeOf(fieldScalar(field)) !== 2;
}

function* tagAndLength({ base }: Walk, span: WireSpan, owner: string): Generator<DumpRange> {
  const { start, valueStart, contentStart, end } = span;
  const text = `field ${span.number}, ${WIRE_TYPE_NAMES[span.wireType]}`;
  yield { offset: base + start, size: valueStart - start, what: "tag", owner, text };
  if (span.wireType === 2)
    yield {
      offset: base + valueStart,
      size: contentStart - valueStart,
      what: "length",
      owner,
      text: String(end - contentStart),
    };
}

function* valueRange(
  { bytes, base }: Walk,
  table: MessageTable,
  name: string,
  field: Field,
  span: WireSpan,
  owner: string,
): Generator<DumpRange> {
  const { valueStart, contentStart, end } = span;
  if (end === contentStart) return;
  const scalar = fieldScalar(field) ?? "bytes";
  const text =
    scalar === "bytes"
      ? hexOf(bytes.subarray(contentStart, end))
      : valueText(table, name, readScalar(scalar, new WireReader(bytes, valueStart, end)));
  yield { offset: base + contentStart, size: end - contentStart, what: "value", owner, text };
}

function* packedRanges(
  { bytes, base }: Walk,
  table: MessageTable,
  name: string,
  field: Field,
  span: WireSpan,
  first: number,
  path: string,
): Generator<DumpRange, number> {
  const reader = new WireReader(bytes, span.contentStart, span.end);
  let index = first;
  while (reader.pos < span.end) {
    const start = reader.pos;
    const text = valueText(table, name, readScalar(fieldScalar(field) ?? "bytes", reader));
    const owner = `${path}.${name}[${index++}]`;
    yield { offset: base + start, size: reader.pos - start, what: "value", owner, text };
  }
  return index - first;
}

function* unknownRanges(
  walk: Walk,
  span: WireSpan,
  owner: string,
  isKnownField: boolean,
): Generator<DumpRange> {
  yield* tagAndLength(walk, span, owner);
  const { contentStart, end } = span;
  if (end === contentStart) return;
  const text = `${isKnownField ? "wrong wire type: " : ""}${hexOf(walk.bytes.subarray(contentStart, end))}`;
  yield { offset: walk.base + contentStart, size: end - contentStart, what: "unknown", owner, text };
}

function hexOf(bytes: Buffer): string {
  const shown = bytes.toString("hex", 0, SHOWN_BYTES).replace(/..(?=.)/g, "$& ");
  return bytes.length > SHOWN_BYTES ? `${shown} …` : shown;
}
