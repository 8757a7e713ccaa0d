import type { ByteOrder } from "../../io/byte-order.js";
import type { Splice } from "../../io/splice.js";
import { spliceBetween } from "../../io/splice.js";
import { ReadWindow } from "../../io/window.js";
import { encodeMessage } from "../../schema/encode.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";
import { type FieldChange, patchMessage } from "../../schema/patch.js";
import type { CriuImage } from "./image.js";

/** Changes of the records of one image, by their index before the edit. */
export interface RecordEdits {
  /** Field changes, in order. */
  readonly changed: ReadonlyMap<number, readonly FieldChange[]>;
  /** Records removed together with their payload. */
  readonly dropped: ReadonlySet<number>;
  /** Records appended. */
  readonly added: readonly { readonly table: MessageTable; readonly value: AnyValue }[];
}

/**
 * The splices that apply these edits to an image: changed fields with the lengths around them, removed or added records,
 * nothing else. Errors: CrimgError INVALID or EDIT for a value that is invalid for its field.
 */
export function rewriteImage(image: CriuImage, edits: RecordEdits): Splice[] {
  const { source, header, fileName } = image;
  if (header === undefined) throw new Error(`${fileName} has no records`);
  const window = new ReadWindow(source);
  const splices: Splice[] = [];
  for (const record of image.records()) {
    if (edits.dropped.has(record.index)) {
      const start = record.offset - 4;
      splices.push({ offset: start, size: record.end - start, bytes: Buffer.alloc(0) });
      continue;
    }
    const changes = edits.changed.get(record.index);
    if (changes === undefined) continue;
    const place = { file: source.name, path: `[${record.index}]`, offset: record.offset };
    const framed = window.read(record.offset - 4, record.size + 4);
    const patched = patchMessage(record.table, framed.subarray(4), changes, place);
    const splice = spliceBetween(record.offset - 4, framed, frame(patched, header.byteOrder));
    if (splice !== undefined) splices.push(splice);
  }
  if (edits.added.length > 0) {
    const place = { file: source.name };
    const bytes = edits.added.map(({ table, value }) =>
      frame(encodeMessage(table, value as never, place), header.byteOrder),
    );
    splices.push({ offset: source.size, size: 0, bytes: Buffer.concat(bytes) });
  }
  return splices;
}

/** A message with its size word in front. */
function frame(message: Buffer, byteOrder: ByteOrder): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 4);
  if (byteOrder === "little-endian") framed.writeUInt32LE(message.length);
  else framed.writeUInt32BE(message.length);
  message.copy(framed, 4);
  return framed;
}
