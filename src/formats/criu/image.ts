/**
 * One image file of CRIU:
 *
 *     IMAGE   = HEADER { RECORD }
 *     HEADER  = MAGIC | HEAD-MAGIC MAGIC          u32 each, in the byte order of the dumped machine
 *     RECORD  = SIZE MESSAGE [ PAYLOAD ]          u32, that many bytes of protobuf, payload by the rule of the kind
 */
import { type CrimgError, FormatError, isCrimgError } from "../../io/errors.js";
import { MAX_RECORD_BYTES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { ReadWindow } from "../../io/window.js";
import { decodeMessage } from "../../schema/decode.js";
import type { AnyValue, MessageTable, Value } from "../../schema/message.js";
import { type ImageHeader, readHeader, readU32 } from "./detect.js";
import type { ImageKind, PayloadLength, PayloadRule } from "./image-kind.js";

/** Bytes after a record, as a range of the file; padding follows. */
export interface PayloadRange {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly padding: number;
  /** Set for a framed message inside the payload (SysV messages); `offset` and `size` are those of the message. */
  readonly message?: { readonly table: MessageTable; readonly value: AnyValue; readonly bytes: Buffer };
}

/** A record with its ranges in the file. `offset` is that of the message, 4 bytes after its size word. */
export interface ImageRecord<V = AnyValue> {
  readonly index: number;
  readonly table: MessageTable;
  readonly offset: number;
  readonly size: number;
  /** The encoded message. */
  readonly bytes: Buffer;
  readonly value: V;
  readonly payload: readonly PayloadRange[];
  /** End offset of the payload and its padding. */
  readonly end: number;
}

/** A record whose bytes are read again when they are asked for. */
class KeptRecord<V> implements ImageRecord<V> {
  readonly index: number;
  readonly table: MessageTable;
  readonly offset: number;
  readonly size: number;
  readonly value: V;
  readonly payload: readonly PayloadRange[];
  readonly end: number;
  readonly #source: ByteSource;

  constructor({ index, table, offset, size, value, payload, end }: ImageRecord<V>, source: ByteSource) {
    this.index = index;
    this.table = table;
    this.offset = offset;
    this.size = size;
    this.value = value;
    this.payload = payload;
    this.end = end;
    this.#source = source;
  }

  get bytes(): Buffer {
    return this.#source.read(this.offset, this.size);
  }
}

/** A damaged record. `framed`: only its message is damaged, its size word is valid. */
export interface RecordDamage {
  readonly index: number;
  readonly error: CrimgError;
  readonly framed: boolean;
}

/** An opened image. Records are decoded lazily; payloads are never loaded. */
export class CriuImage<V = AnyValue> {
  readonly header: ImageHeader | undefined;
  #records: ImageRecord<V>[] | undefined;

  constructor(
    readonly source: ByteSource,
    readonly fileName: string,
  ) {
    this.header = readHeader(source, fileName);
  }

  /** Whether damaged records are omitted instead of thrown. */
  get omitsDamage(): boolean {
    return false;
  }

  /** Undefined for a raw image. */
  get kind(): ImageKind | undefined {
    return this.header?.kind;
  }

  /** All records, cached. Errors: as `heldRecords`. */
  records(): readonly ImageRecord<V>[] {
    if (this.#records === undefined) {
      const kept: ImageRecord<V>[] = [];
      for (const record of this.heldRecords()) kept.push(new KeptRecord(record, this.source));
      this.#records = kept;
    }
    return this.#records;
  }

  /**
   * The records for readers that hold data of each.
   * Errors: FormatError with file, record and offset; TOO_LARGE above the limit of the kind.
   */
  *heldRecords(): Generator<ImageRecord<V>> {
    const most = this.kind?.most ?? 0;
    for (const record of this.readRecords()) {
      if (record.index >= most) throw this.tooMany(record);
      yield record;
    }
  }

  /** The error for an image with more records than allowed for its kind. */
  protected tooMany({ index, offset }: ImageRecord<unknown>): FormatError {
    return new FormatError("TOO_LARGE", `too many records (expected at most ${this.kind?.most})`, {
      file: this.source.name,
      path: `[${index}]`,
      offset,
    });
  }

  /**
   * The records in order, from the cache if there. With `damaged`, damage is reported instead of thrown, and reading
   * continues after it if its length is known and `damaged` returns true.
   */
  *readRecords(damaged?: (damage: RecordDamage) => boolean): Generator<ImageRecord<V>> {
    if (this.#records !== undefined) {
      yield* this.#records;
      return;
    }
    const { header, source } = this;
    if (header === undefined) return;
    const window = new ReadWindow(source);
    let offset = header.size;
    for (let index = 0; offset < source.size; index++) {
      let record: ImageRecord<V> | undefined;
      try {
        record = this.#readRecord(window, header, index, offset) as ImageRecord<V>;
      } catch (error) {
        if (damaged === undefined || !isCrimgError(error)) throw error;
        const end = this.#endOfFrame(window, header, index, offset);
        if (!damaged({ index, error, framed: end !== undefined }) || end === undefined) return;
        offset = end;
        continue;
      }
      yield record;
      offset = record.end;
    }
  }

  /** The record whose size word is at `offset`, for readers that iterate themselves. */
  readRecordAt(window: ReadWindow, index: number, offset: number): ImageRecord<V> {
    if (this.header === undefined) throw new Error(`${this.fileName} has no records`);
    return this.#readRecord(window, this.header, index, offset) as ImageRecord<V>;
  }

  /** The records, decoding only part of their message. Only for images without payloads. */
  *readParts<M extends MessageTable>(table: M): Generator<ImageRecord<Value<M>>> {
    const { header, source } = this;
    if (header === undefined) return;
    const window = new ReadWindow(source);
    let offset = header.size;
    for (let index = 0; offset < source.size; index++) {
      const record = this.#readRecord(window, header, index, offset, table) as ImageRecord<Value<M>>;
      yield record;
      offset = record.end;
    }
  }

  /** Offset of the next record, by the size word; unknown if a payload may follow, whose length is in the message. */
  #endOfFrame(window: ReadWindow, header: ImageHeader, index: number, at: number): number | undefined {
    const table = tableOf(header.kind, index);
    const left = this.source.size - at;
    if (left < 4 || header.kind.payload.some((rule) => rule.after === table)) return undefined;
    const size = readU32(window.read(at, 4), header.byteOrder);
    return size <= left - 4 && size <= MAX_RECORD_BYTES ? at + 4 + size : undefined;
  }

  #readRecord(
    window: ReadWindow,
    header: ImageHeader,
    index: number,
    at: number,
    table = tableOf(header.kind, index),
  ): ImageRecord {
    const path = `[${index}]`;
    const { offset, size, bytes, value } = this.#readFramed(window, header, table, at, path);
    const payload = this.#payload(window, header, table, value, offset + size, path);
    const last = payload.at(-1);
    const end = last === undefined ? offset + size : last.offset + last.size + last.padding;
    return { index, table, offset, size, bytes, value, payload, end };
  }

  #readFramed(window: ReadWindow, header: ImageHeader, table: MessageTable, at: number, path: string) {
    const file = this.source.name;
    const left = this.source.size - at;
    if (left < 4)
      throw new FormatError("TRUNCATED", `truncated: found ${left} bytes of a record size (expected 4)`, {
        file,
        path,
        offset: at,
      });
    const size = readU32(window.read(at, 4), header.byteOrder);
    if (size > left - 4)
      throw new FormatError(
        "TRUNCATED",
        `truncated: found ${left - 4} bytes of a record (expected ${size})`,
        { file, path, offset: at },
      );
    if (size > MAX_RECORD_BYTES)
      throw new FormatError(
        "TOO_LARGE",
        `record too large: ${size} bytes (expected at most ${MAX_RECORD_BYTES})`,
        { file, path, offset: at },
      );
    const offset = at + 4;
    const bytes = window.read(offset, size);
    const value = decodeMessage(table, bytes, { file, path, offset }) as AnyValue;
    return { offset, size, bytes, value };
  }

  #payload(
    window: ReadWindow,
    header: ImageHeader,
    table: MessageTable,
    value: AnyValue,
    at: number,
    path: string,
  ): readonly PayloadRange[] {
    const rule = header.kind.payload.find((candidate) => candidate.after === table);
    if (rule === undefined || rule.when?.(value) === false) return NO_PAYLOAD;
    if (rule.messages !== undefined)
      return this.#payloadMessages(window, header, rule.messages, value, at, path);
    const ranges: PayloadRange[] = [];
    let offset = at;
    for (const part of rule.parts ?? []) {
      const size = this.#length(part.length, value, offset, `${path}.${part.name}`);
      const padding = this.#padding(size, part.padTo, offset, `${path}.${part.name}`);
      ranges.push({ name: part.name, offset, size, padding });
      offset += size + padding;
    }
    return ranges;
  }

  #payloadMessages(
    window: ReadWindow,
    header: ImageHeader,
    rule: NonNullable<PayloadRule["messages"]>,
    owner: AnyValue,
    at: number,
    path: string,
  ): PayloadRange[] {
    const ranges: PayloadRange[] = [];
    let next = at;
    for (let i = 0; i < Number(owner[rule.count]); i++) {
      const inner = `${path}.messages[${i}]`;
      const { offset, size, bytes, value } = this.#readFramed(window, header, rule.table, next, inner);
      ranges.push({
        name: `messages[${i}]`,
        offset,
        size,
        padding: 0,
        message: { table: rule.table, value, bytes },
      });
      const length = this.#length(rule.length, value, offset + size, inner);
      const padding = this.#padding(length, rule.padTo, offset + size, inner);
      ranges.push({ name: `messages[${i}].data`, offset: offset + size, size: length, padding });
      next = offset + size + length + padding;
    }
    return ranges;
  }

  #length(length: PayloadLength, value: AnyValue, offset: number, path: string): number {
    const left = this.source.size - offset;
    if (length === "rest") return left;
    const claimed = BigInt(value[length.field] as number | bigint) * BigInt(length.unit ?? 1);
    if (claimed > BigInt(left))
      throw new FormatError(
        "TRUNCATED",
        `truncated: found ${left} bytes of payload (expected ${claimed}, by ${length.field})`,
        {
          file: this.source.name,
          path,
          offset,
        },
      );
    return Number(claimed);
  }

  #padding(size: number, padTo: number | undefined, offset: number, path: string): number {
    if (padTo === undefined || size % padTo === 0) return 0;
    const padding = padTo - (size % padTo);
    if (offset + size + padding > this.source.size)
      throw new FormatError("TRUNCATED", `truncated: missing padding (expected ${padding} bytes)`, {
        file: this.source.name,
        path,
        offset: offset + size,
      });
    return padding;
  }
}

/** Shared by all records: an image may have a million. */
const NO_PAYLOAD: readonly PayloadRange[] = [];

/** The message table of the n-th record: the last entry of a kind repeats. */
export function tableOf(kind: ImageKind, index: number): MessageTable {
  const rule = kind.entries[Math.min(index, kind.entries.length - 1)];
  if (rule === undefined) throw new Error(`${kind.name} has no entries`);
  return rule.message;
}
