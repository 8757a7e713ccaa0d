import { CrimgError, type ErrorPlace } from "../io/errors.js";
import { fieldScalar, readScalar, toFormatError, wireTypeOf } from "./decode.js";
import { encodeScalar, toCrimgError, ValueError, writeField, writeMessage } from "./encode.js";
import {
  type AnyValue,
  type Field,
  fieldMessage,
  type MessageTable,
  UNKNOWN,
  type UnknownField,
} from "./message.js";
import { isOwnWireType, patchUnknown } from "./patch-unknown.js";
import { WireError, WireReader, type WireSpan, WireWriter, wireSpans } from "./wire.js";

/** Path of a field in a record: names, and an index after the name of a repeated field. */
export type FieldPath = readonly (string | number)[];

/** A change of a record: the new value, or undefined to remove the field (or list element). */
export interface FieldChange {
  readonly path: FieldPath;
  readonly value: unknown;
}

/**
 * Changes fields of an encoded message and nothing else: every byte except the changed values and the lengths around
 * them is unchanged, canonical or not.
 * A path to a repeated field without index replaces the whole list; index = list length appends. A path to `_unknown`
 * replaces the unknown fields.
 * Errors: CrimgError INVALID for an invalid value, EDIT for an invalid path.
 */
export function patchMessage(
  table: MessageTable,
  bytes: Buffer,
  changes: readonly FieldChange[],
  place: ErrorPlace = {},
): Buffer {
  try {
    return patchAll(table, bytes, changes);
  } catch (error) {
    if (error instanceof WireError) throw toFormatError(error, table, place);
    if (error instanceof ValueError) throw toCrimgError(error, table, place);
    throw error;
  }
}

/** `["reg", "name"]` as `reg.name`, `["vmas", 3, "shmid"]` as `vmas[3].shmid`. */
export function formatPath(path: FieldPath): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join("");
}

/** The inverse of `formatPath`; the empty text is the record itself. */
export function parsePath(text: string): FieldPath {
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([name, index]) =>
    index === undefined ? name : Number(index),
  );
}

/**
 * Applies changes in order. Adjacent changes in nested messages are applied in one pass over the bytes: otherwise a list
 * of thousands of messages, each with a change, would take quadratic time.
 */
function patchAll(table: MessageTable, bytes: Buffer, changes: readonly FieldChange[]): Buffer {
  let current = bytes;
  for (let from = 0; from < changes.length; ) {
    const inner = changes.length - from > 1 ? innerChanges(table, current, changes, from) : undefined;
    if (inner === undefined) {
      const { path, value } = changes[from++] as FieldChange;
      current = patchOne(table, current, path, value);
    } else {
      current = patchInner(current, inner.bySpan);
      from += inner.count;
    }
  }
  return current;
}

/** Changes of the message in one span. */
interface InnerChanges {
  /** Name of the span for errors: the field, with the index in a list. */
  readonly label: string;
  readonly table: MessageTable;
  readonly changes: FieldChange[];
}

/** The run of changes from `from` on in existing nested messages; undefined if the first is not. */
function innerChanges(
  table: MessageTable,
  bytes: Buffer,
  changes: readonly FieldChange[],
  from: number,
): { readonly count: number; readonly bySpan: ReadonlyMap<WireSpan, InnerChanges> } | undefined {
  const bySpan = new Map<WireSpan, InnerChanges>();
  const spans = new Map<number, WireSpan[]>();
  for (const span of wireSpans(bytes)) {
    if (span.wireType !== 2) continue;
    const list = spans.get(span.number);
    if (list === undefined) spans.set(span.number, [span]);
    else list.push(span);
  }
  let count = 0;
  for (let i = from; i < changes.length; i++) {
    const { path, value } = changes[i] as FieldChange;
    const field = typeof path[0] === "string" ? table.fields[path[0]] : undefined;
    const nested = field === undefined ? undefined : fieldMessage(table, field);
    if (field === undefined || nested === undefined) break;
    const own = spans.get(field.number) ?? [];
    const isList = field.label === "repeated";
    const span = isList ? own[path[1] as number] : own.at(-1);
    const rest = path.slice(isList ? 2 : 1);
    if (span === undefined || rest.length === 0) break;
    const found = bySpan.get(span);
    const label = isList ? `${path[0]}[${path[1]}]` : String(path[0]);
    if (found === undefined) bySpan.set(span, { label, table: nested, changes: [{ path: rest, value }] });
    else found.changes.push({ path: rest, value });
    count++;
  }
  return count === 0 ? undefined : { count, bySpan };
}

/** Replaces changed messages in their spans in one pass. */
function patchInner(bytes: Buffer, bySpan: ReadonlyMap<WireSpan, InnerChanges>): Buffer {
  const parts: Buffer[] = [];
  let kept = 0;
  for (const [span, { label, table, changes }] of [...bySpan].sort(([a], [b]) => a.start - b.start)) {
    const inner = bytes.subarray(span.contentStart, span.end);
    const content = named(label, () => patchAll(table, inner, changes));
    const isSameLength = content.length === span.end - span.contentStart;
    parts.push(bytes.subarray(kept, isSameLength ? span.contentStart : span.valueStart));
    if (!isSameLength) parts.push(lengthOf(content));
    parts.push(content);
    kept = span.end;
  }
  parts.push(bytes.subarray(kept));
  return Buffer.concat(parts);
}

/** Adds the name of the changed field before the path of a ValueError. */
function named<T>(label: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw error instanceof ValueError ? error.within(label) : error;
  }
}

function lengthOf(content: Buffer): Buffer {
  const writer = new WireWriter();
  writer.uint32(content.length);
  return writer.take();
}

function patchOne(table: MessageTable, bytes: Buffer, path: FieldPath, value: unknown): Buffer {
  const [name, ...rest] = path;
  if (name === UNKNOWN && rest.length === 0) return patchUnknown(table, bytes, value as UnknownField[]);
  const field =
    typeof name === "string" && Object.hasOwn(table.fields, name) ? table.fields[name] : undefined;
  if (typeof name !== "string" || field === undefined)
    throw new CrimgError(
      "EDIT",
      `unknown field ${String(name)} of ${table.name} (expected ${Object.keys(table.fields).join(", ")})`,
    );
  const spans = wireSpans(bytes).filter((span) => span.number === field.number && isOwnWireType(field, span));
  if (field.label !== "repeated") {
    if (rest.length === 0) return replaceAll(table, name, field, bytes, spans, value);
    const last = spans.at(-1);
    return last === undefined
      ? insert(table, name, field, bytes, bytes.length, nestedFromNothing(table, field, rest, value))
      : replaceContent(
          bytes,
          last,
          named(name, () => patchNested(table, field, bytes, last, rest, value)),
        );
  }
  const [index, ...deeper] = rest;
  if (index === undefined) return replaceAll(table, name, field, bytes, spans, value);
  if (typeof index !== "number")
    throw new CrimgError("EDIT", `missing index of the list ${name} (expected e.g. ${name}[0])`);
  return patchElement(table, name, field, bytes, spans, index, deeper, value);
}

function patchElement(
  table: MessageTable,
  name: string,
  field: Field,
  bytes: Buffer,
  spans: readonly WireSpan[],
  index: number,
  deeper: FieldPath,
  value: unknown,
): Buffer {
  const elements = spans.flatMap((span) => elementsOf(field, bytes, span));
  const element = elements[index];
  if (element === undefined) {
    if (index !== elements.length || value === undefined)
      throw new CrimgError("EDIT", `no element ${name}[${index}] (${name} has ${elements.length} elements)`);
    if (deeper.length > 0)
      return insert(table, name, field, bytes, bytes.length, [
        nestedFromNothing(table, field, deeper, value),
      ]);
    return insert(table, name, field, bytes, spans.at(-1)?.end ?? bytes.length, [value]);
  }
  if (deeper.length > 0)
    return replaceContent(
      bytes,
      element.span,
      named(`${name}[${index}]`, () => patchNested(table, field, bytes, element.span, deeper, value)),
    );
  if (element.packed !== undefined) {
    const { start, end } = element.packed;
    const scalar = fieldScalar(field);
    const fresh = value === undefined || scalar === undefined ? Buffer.alloc(0) : encodeScalar(scalar, value);
    return replaceContent(
      bytes,
      element.span,
      splice(
        bytes.subarray(element.span.contentStart, element.span.end),
        start - element.span.contentStart,
        end - element.span.contentStart,
        fresh,
      ),
    );
  }
  if (value === undefined) return splice(bytes, element.span.start, element.span.end, Buffer.alloc(0));
  return replaceValue(table, name, field, bytes, element.span, value);
}

interface Element {
  readonly span: WireSpan;
  readonly packed?: { readonly start: number; readonly end: number };
}

/** The list elements of one span: one, or all of a packed run. */
function elementsOf(field: Field, bytes: Buffer, span: WireSpan): Element[] {
  const scalar = fieldScalar(field);
  if (scalar === undefined || span.wireType === wireTypeOf(scalar)) return [{ span }];
  const reader = new WireReader(bytes, span.contentStart, span.end);
  const elements: Element[] = [];
  while (reader.pos < span.end) {
    const start = reader.pos;
    readScalar(scalar, reader);
    elements.push({ span, packed: { start, end: reader.pos } });
  }
  return elements;
}

/** Replaces a singular field or a whole list, at its first position (or its position by number). */
function replaceAll(
  table: MessageTable,
  name: string,
  field: Field,
  bytes: Buffer,
  spans: readonly WireSpan[],
  value: unknown,
): Buffer {
  if (value === undefined && field.label === "required")
    throw new CrimgError("EDIT", `cannot remove the required field ${name} of ${table.name}`);
  if (field.label !== "repeated" && value !== undefined && spans.length > 0)
    return replaceValue(table, name, field, bytes, spans.at(-1) as WireSpan, value);
  let without = bytes;
  for (const span of [...spans].reverse()) without = splice(without, span.start, span.end, Buffer.alloc(0));
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return without;
  return insert(table, name, field, without, spans[0]?.start ?? without.length, value, spans.length > 0);
}

/** Inserts a new field before the first one with a higher number, or at `at`. */
function insert(
  table: MessageTable,
  name: string,
  field: Field,
  bytes: Buffer,
  at: number,
  value: unknown,
  exactly = at < bytes.length,
): Buffer {
  const writer = new WireWriter();
  writeField(table, name, field, writer, value);
  const place = exactly
    ? at
    : (wireSpans(bytes).find((span) => span.number > field.number)?.start ?? bytes.length);
  return splice(bytes, place, place, writer.take());
}

function replaceValue(
  table: MessageTable,
  name: string,
  field: Field,
  bytes: Buffer,
  span: WireSpan,
  value: unknown,
): Buffer {
  const scalar = fieldScalar(field);
  if (scalar === undefined) {
    const writer = new WireWriter();
    named(name, () => writeMessage(fieldMessage(table, field) as MessageTable, writer, value as AnyValue));
    return replaceContent(bytes, span, writer.take());
  }
  const fresh = named(name, () => encodeScalar(scalar, value));
  return span.wireType === 2
    ? replaceContent(bytes, span, fresh)
    : splice(bytes, span.valueStart, span.end, fresh);
}

function patchNested(
  table: MessageTable,
  field: Field,
  bytes: Buffer,
  span: WireSpan,
  rest: FieldPath,
  value: unknown,
): Buffer {
  const nested = nestedTable(table, field, rest);
  return patchOne(nested, bytes.subarray(span.contentStart, span.end), rest, value);
}

function nestedTable(table: MessageTable, field: Field, rest: FieldPath): MessageTable {
  const nested = fieldMessage(table, field);
  if (nested === undefined)
    throw new CrimgError("EDIT", `no field .${formatPath(rest)} (the value before it has no fields)`);
  return nested;
}

/** A nested message with only the field of the path. */
function nestedFromNothing(table: MessageTable, field: Field, rest: FieldPath, value: unknown): AnyValue {
  const nested = nestedTable(table, field, rest);
  const [name, ...deeper] = rest;
  if (typeof name !== "string") throw new CrimgError("EDIT", `invalid path .${formatPath(rest)}`);
  const inner = nested.fields[name];
  if (inner === undefined) throw new CrimgError("EDIT", `unknown field ${name} of ${nested.name}`);
  return { [name]: deeper.length === 0 ? value : nestedFromNothing(nested, inner, deeper, value) };
}

/** New content of a length-delimited field; its length bytes change only if the length does. */
function replaceContent(bytes: Buffer, span: WireSpan, content: Buffer): Buffer {
  if (content.length === span.end - span.contentStart)
    return splice(bytes, span.contentStart, span.end, content);
  const writer = new WireWriter();
  writer.uint32(content.length);
  writer.bytes(content);
  return splice(bytes, span.valueStart, span.end, writer.take());
}

function splice(bytes: Buffer, start: number, end: number, fresh: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), fresh, bytes.subarray(end)]);
}
