import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CriuImage } from "../../../../src/formats/criu/image.js";
import type { ImageKind } from "../../../../src/formats/criu/image-kind.js";
import { DirectoryFileSet, OverlayFileSet } from "../../../../src/io/file-set.js";
import { MemorySource } from "../../../../src/io/source.js";
import type { CriuDocument } from "../../../../src/model/document.js";
import { openFileSet } from "../../../../src/open.js";
import { encodeMessage } from "../../../../src/schema/encode.js";
import type { AnyValue, MessageTable, Value } from "../../../../src/schema/message.js";
import { type FieldPath, patchMessage } from "../../../../src/schema/patch.js";

export const FIXTURES = fileURLToPath(new URL("../../../../fixtures/criu/", import.meta.url));

/** First word of every image but the inventory. */
const COMMON_HEAD = 0x54564319;

/** A copy of a real set in which fields, records and files are changed; the real one is only read. */
export class DamagedSet {
  readonly #files: DirectoryFileSet;
  readonly #changed = new Map<string, MemorySource | null>();

  constructor(readonly fixture: string) {
    this.#files = new DirectoryFileSet(join(FIXTURES, fixture));
  }

  open(): CriuDocument {
    return openFileSet(new OverlayFileSet(this.#files, this.#changed));
  }

  /** The bytes of a file as it now is. */
  read(image: string): Buffer {
    const source = this.#changed.get(image) ?? this.#files.open(image);
    if (source === undefined) throw new Error(`${this.fixture} has no ${image}`);
    return source.read(0, source.size);
  }

  put(image: string, bytes: Buffer): this {
    this.#changed.set(image, new MemorySource(bytes, image));
    return this;
  }

  remove(image: string): this {
    this.#changed.set(image, null);
    return this;
  }

  /** Sets a field, as in `files.img[3].reg.name`; undefined takes it away. */
  set(place: string, value: unknown): this {
    const [, image, index, rest] = /^([^[]+)\[(\d+)\]\.(.+)$/.exec(place) ?? [];
    if (image === undefined || rest === undefined) throw new Error(`${place} is not IMAGE[RECORD].FIELD`);
    const path = rest.split(".").flatMap((part): FieldPath => {
      const [, name, at] = /^(\w+)(?:\[(\d+)\])?$/.exec(part) ?? [];
      return at === undefined ? [name as string] : [name as string, Number(at)];
    });
    return this.#rewrite(image, Number(index), (record) => [
      patchMessage(record.table, record.message, [{ path, value }]),
      record.payload,
    ]);
  }

  /** Takes a record with its payload out. */
  drop(image: string, index: number): this {
    return this.#rewrite(image, index, () => undefined);
  }

  /** Writes a record a second time behind itself, changed by `fields`. */
  repeat(image: string, index: number, fields: object = {}): this {
    return this.#rewrite(image, index, (record) => [
      record.message,
      record.payload,
      encodeMessage(record.table, { ...record.value, ...fields } as Value<MessageTable>),
      record.payload,
    ]);
  }

  /** Exchanges a record with the next one. */
  swap(image: string, index: number): this {
    const bytes = this.read(image);
    const records = recordsOf(bytes, image);
    const [first, second] = [records[index], records[index + 1]];
    if (first === undefined || second === undefined) throw new Error(`${image} has no record ${index + 1}`);
    const start = first.offset - 4;
    return this.put(
      image,
      Buffer.concat([
        bytes.subarray(0, start),
        bytes.subarray(second.offset - 4, second.end),
        bytes.subarray(start, first.end),
        bytes.subarray(second.end),
      ]),
    );
  }

  /** Appends a record to an image, which is made when it is not there. */
  add<M extends MessageTable>(
    kind: ImageKind<M>,
    image: string,
    table: M,
    value: Value<M>,
    payload = Buffer.alloc(0),
  ): this {
    const message = encodeMessage(table, value);
    return this.put(
      image,
      Buffer.concat([this.#orHeader(kind, image), word(message.length), message, payload]),
    );
  }

  #orHeader(kind: ImageKind, image: string): Buffer {
    const known = this.#changed.get(image) ?? this.#files.open(image);
    return known === undefined || known === null
      ? Buffer.concat([word(COMMON_HEAD), word(kind.magic as number)])
      : this.read(image);
  }

  #rewrite(image: string, index: number, change: (record: Stored) => readonly Buffer[] | undefined): this {
    const bytes = this.read(image);
    const record = recordsOf(bytes, image)[index];
    if (record === undefined) throw new Error(`${image} has no record ${index}`);
    const parts = change({
      table: record.table,
      value: record.value,
      message: bytes.subarray(record.offset, record.offset + record.size),
      payload: bytes.subarray(record.offset + record.size, record.end),
    });
    const written: Buffer[] = [];
    for (let i = 0; parts !== undefined && i < parts.length; i += 2) {
      const message = parts[i] as Buffer;
      written.push(word(message.length), message, parts[i + 1] as Buffer);
    }
    return this.put(
      image,
      Buffer.concat([bytes.subarray(0, record.offset - 4), ...written, bytes.subarray(record.end)]),
    );
  }
}

interface Stored {
  readonly table: MessageTable;
  readonly value: AnyValue;
  readonly message: Buffer;
  readonly payload: Buffer;
}

function recordsOf(bytes: Buffer, image: string) {
  return new CriuImage(new MemorySource(bytes, image), image).records();
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
