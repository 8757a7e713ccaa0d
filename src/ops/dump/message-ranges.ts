import { fieldScalar, readScalar, wireTypeOf } from "../../schema/decode.js";
import { type Field, fieldMessage, type MessageTable } from "../../schema/message.js";
import { isOwnWireType } from "../../schema/patch-unknown.js";
import { valueWriter } from "../../schema/to-json.js";
import { readSpan, WireReader, type WireSpan, type WireType } from "../../schema/wire.js";

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

/** A message on the way down to the field that is being read. */
interface Level {
  readonly fields: ReadonlyMap<number, readonly NamedField[]>;
  readonly reader: WireReader;
  readonly path: string;
  /** Elements so far of each list. */
  readonly counts: Map<NamedField, number>;
}

/**
 * The ranges of an encoded message that starts at `base` in the file; `path` names the message.
 * One generator for all levels: generators in generators cost more than the fields.
 */
export function* messageRanges(
  table: MessageTable,
  bytes: Buffer,
  base: number,
  path: string,
): Generator<DumpRange> {
  const levels: Level[] = [levelOf(table, new WireReader(bytes, 0, bytes.length), path)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { reader, fields, counts } = level;
    if (reader.pos >= reader.end) {
      levels.pop();
      continue;
    }
    const span = readSpan(reader);
    const { number, wireType, start, valueStart, contentStart, end } = span;
    const candidates = fields.get(number) ?? NONE;
    const field = candidates.find((each) => isOwnWireType(each.field, span));
    const index = field?.isList === true ? (counts.get(field) ?? 0) : 0;
    const owner = `${level.path}.${field?.name ?? candidates[0]?.name ?? number}${field?.isList === true ? `[${index}]` : ""}`;
    yield { offset: base + start, size: valueStart - start, what: "tag", owner, text: tagText(span) };
    if (wireType === 2)
      yield {
        offset: base + valueStart,
        size: contentStart - valueStart,
        what: "length",
        owner,
        text: String(end - contentStart),
      };
    let elements = 1;
    if (field === undefined) {
      const text = `${candidates.length > 0 ? "wrong wire type: " : ""}${hexOf(bytes.subarray(contentStart, end))}`;
      if (end > contentStart)
        yield { offset: base + contentStart, size: end - contentStart, what: "unknown", owner, text };
    } else if (field.message !== undefined)
      levels.push(levelOf(field.message, new WireReader(bytes, contentStart, end), owner));
    else if (wireType === 2 && field.wireType !== 2) {
      elements = 0;
      for (const packed = new WireReader(bytes, contentStart, end); packed.pos < end; elements++) {
        const at = packed.pos;
        const text = field.text(packed);
        const each = `${level.path}.${field.name}[${index + elements}]`;
        yield { offset: base + at, size: packed.pos - at, what: "value", owner: each, text };
      }
    } else if (end > contentStart) {
      const text = field.text(new WireReader(bytes, valueStart, end));
      yield { offset: base + contentStart, size: end - contentStart, what: "value", owner, text };
    }
    if (field?.isList === true) counts.set(field, index + elements);
  }
}

function levelOf(table: MessageTable, reader: WireReader, path: string): Level {
  return { fields: fieldsByNumber(table), reader, path, counts: new Map() };
}

function tagText({ number, wireType }: WireSpan): string {
  return `field ${number}, ${WIRE_TYPE_NAMES[wireType]}`;
}

/** What is asked of a field again and again. */
interface NamedField {
  readonly name: string;
  readonly field: Field;
  readonly isList: boolean;
  readonly message: MessageTable | undefined;
  readonly wireType: WireType;
  /** Reads a value, and gives it as text. */
  readonly text: (reader: WireReader) => string;
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
    fields.set(field.number, [...(fields.get(field.number) ?? []), namedField(table, name, field)]);
  return fields;
}

function namedField(table: MessageTable, name: string, field: Field): NamedField {
  const scalar = fieldScalar(field) ?? "bytes";
  const write = valueWriter(table, name);
  return {
    ...{ name, field, isList: field.label === "repeated", message: fieldMessage(table, field) },
    wireType: wireTypeOf(fieldScalar(field)),
    text: (reader) => {
      const value = readScalar(scalar, reader);
      return scalar === "bytes" ? hexOf(value as Buffer) : write(value);
    },
  };
}

function hexOf(bytes: Buffer): string {
  const shown = bytes.toString("hex", 0, SHOWN_BYTES).replace(/..(?=.)/g, "$& ");
  return bytes.length > SHOWN_BYTES ? `${shown} …` : shown;
}
