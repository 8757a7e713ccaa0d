import type { ByteOrder } from "../../io/byte-order.js";
import { EditError } from "../../io/errors.js";
import { MAX_RECORD_BYTES } from "../../io/limits.js";
import { type Splice, spliceBetween } from "../../io/splice.js";
import { textToBytes } from "../../io/text.js";
import { PATH_MAX } from "../../linux/files.js";
import type { StructTable, StructValue } from "../../schema/struct.js";
import { writeGivenFields, writeStruct, zeros } from "../../schema/struct-writer.js";
import type { LinuxCrImage } from "./image.js";
import { type Dialect, idOf, layoutOf, type RecordKind } from "./record-kind.js";
import { RECORDS } from "./records.js";
import { isSince } from "./revisions.js";
import { HEADER_BYTES } from "./scan.js";

/** Changes of one record: new values of fields, a new payload. */
export interface RecordEdit {
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly payload?: Buffer;
}

/** Records followed by a BUFFER of elements, with the field of their number and their size in bytes. */
const NEXT_COUNTS: ReadonlyMap<RecordKind, readonly [field: string, elementBytes: number]> = new Map<
  RecordKind,
  readonly [string, number]
>([
  [RECORDS.TTY_LDISC, ["datalen", 1]],
  [RECORDS.EPOLL_ITEMS, ["num_items", 24]],
  [RECORDS.SOCKET_BUFFER, ["lin_len", 1]],
  [RECORDS.IPC_SEM, ["sem_nsems", 8]],
]);

/**
 * A new record. `payload` follows the fixed part; the field that counts its elements is set. `size` selects between
 * layouts that differ only in size.
 * Errors: EditError if the header set has no such record; CrimgError INVALID for a value that is invalid for its field.
 */
export function encodeRecord(
  kind: RecordKind,
  dialect: Dialect,
  byteOrder: ByteOrder,
  fields: Readonly<Record<string, unknown>> = {},
  payload: Buffer = Buffer.alloc(0),
  size = 0,
): Buffer {
  const id = idOf(kind, dialect.commit);
  if (id === undefined) throw new EditError(`header set ${dialect.commit} has no record ${kind.name}`);
  const table = layoutOf(kind, dialect, size, fields.f_type as number | undefined);
  const fixed = kind.payloadAt ?? table?.size ?? HEADER_BYTES;
  const out = zeros(fixed + payload.length + (kind.slack ?? 0));
  if (table !== undefined)
    writeGivenFields(table, withCount(kind, dialect, fields, payload), byteOrder).copy(out, 0, 0, fixed);
  payload.copy(out, fixed);
  return withHeader(out, id, byteOrder);
}

/** The text of a STRING or FILE_NAME as a payload, with its NUL. Errors: EditError for an embedded NUL or a path too long. */
export function textPayload(kind: RecordKind, text: string): Buffer {
  const bytes = textToBytes(text);
  if (bytes.includes(0)) throw new EditError("invalid NUL in text");
  if (kind.payload === "path" && bytes.length >= PATH_MAX)
    throw new EditError(`path too long: ${bytes.length} bytes (expected at most ${PATH_MAX - 1})`);
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

/**
 * The splices that apply edits to an image: a record of another length gets a new len, and the field that counts its
 * elements, there or in the record before, a new value. Every other byte stays.
 * Errors: EditError for a payload that the record does not have or that is too long; as `encodeRecord`.
 */
export function editSplices(image: LinuxCrImage, edits: ReadonlyMap<number, RecordEdit>): Splice[] {
  const all = new Map(edits);
  for (const [index, { payload }] of edits) {
    if (payload === undefined || image.kind(index) !== RECORDS.BUFFER || index === 0) continue;
    const count = NEXT_COUNTS.get(image.kind(index - 1) ?? RECORDS.BUFFER);
    if (count === undefined) continue;
    const before = all.get(index - 1);
    all.set(index - 1, { ...before, fields: { ...before?.fields, [count[0]]: payload.length / count[1] } });
  }
  return [...all].sort(([a], [b]) => a - b).flatMap(([index, edit]) => spliceOf(image, index, edit) ?? []);
}

function spliceOf(image: LinuxCrImage, index: number, { fields, payload }: RecordEdit): Splice | undefined {
  const { offset, size } = image.range(index);
  const table = image.layout(index);
  const kind = image.kind(index);
  const old = image.payload(index);
  const head = image.source.read(offset, old.offset - offset);
  const tail = image.source.read(old.offset + old.size, offset + size - old.offset - old.size);
  const changed =
    payload === undefined || kind === undefined
      ? fields
      : withCount(kind, image.dialect, fields ?? {}, payload);
  let newHead = head;
  if (changed !== undefined && Object.keys(changed).length > 0) {
    if (table === undefined) throw new EditError(`${image.label(index)} has no fields`, image.place(index));
    const value = { ...image.fields(index), ...changed } as StructValue<StructTable>;
    const base = image.source.read(offset, Math.min(size, table.size));
    newHead = writeStruct(table, value, image.byteOrder, base).subarray(0, head.length);
  }
  if (payload === undefined) return spliceBetween(offset, head, newHead);
  if (kind?.payload === undefined)
    throw new EditError(`${image.label(index)} has no payload`, image.place(index));
  const length = newHead.length + payload.length + tail.length;
  if (length > MAX_RECORD_BYTES)
    throw new EditError(
      `record too large: ${length} bytes (expected at most ${MAX_RECORD_BYTES})`,
      image.place(index),
    );
  const record = withHeader(
    Buffer.concat([newHead, payload, tail]),
    image.id(index) as number,
    image.byteOrder,
  );
  return spliceBetween(offset, image.source.read(offset, size), record);
}

function withCount(
  kind: RecordKind,
  dialect: Dialect,
  fields: Readonly<Record<string, unknown>>,
  payload: Buffer,
): Readonly<Record<string, unknown>> {
  if (kind.count === undefined) return fields;
  // Only on x86 does THREAD have descriptors.
  if (kind === RECORDS.THREAD && dialect.arch.family !== "x86") return fields;
  return { ...fields, [kind.count]: payload.length / elementBytes(kind, dialect) };
}

function elementBytes(kind: RecordKind, { commit }: Dialect): number {
  if (kind.payload === "u32") return 4;
  if (kind.payload === "siginfo") return isSince(commit, "f0fdd38") ? 88 : 48;
  return 1;
}

function withHeader(record: Buffer, id: number, byteOrder: ByteOrder): Buffer {
  if (byteOrder === "little-endian") {
    record.writeUInt32LE(id, 0);
    record.writeUInt32LE(record.length, 4);
  } else {
    record.writeUInt32BE(id, 0);
    record.writeUInt32BE(record.length, 4);
  }
  return record;
}
