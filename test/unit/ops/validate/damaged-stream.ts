import { readFileSync } from "node:fs";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import type { RecordKind } from "../../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES } from "../../../../src/formats/linux-cr/revisions.js";
import { encodeRecord } from "../../../../src/formats/linux-cr/write.js";
import { MemorySource } from "../../../../src/io/source.js";
import type { LinuxCrDocument } from "../../../../src/model/document.js";
import { openStream } from "../../../../src/open.js";
import type { StructTable, StructValue } from "../../../../src/schema/struct.js";
import { writeStruct } from "../../../../src/schema/struct-writer.js";
import { convertedFixture } from "../../../helpers/converted-stream.js";
import { extendedStream } from "../../../helpers/extended-stream.js";
import { richStream } from "../../../helpers/rich-stream.js";

const MINIMAL = new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url);
type Fields = Readonly<Record<string, unknown>>;

/**
 * `rich` has every record of the header files, `extended` those of ours, `minimal` is the smallest whole one; the others
 * are real CRIU sets of these names, converted.
 */
export type StreamName = "rich" | "extended" | "minimal" | SetName;
type SetName = "container" | "logger" | "locks" | "deleted" | "sockets" | "terminal" | "threads" | "tree";

const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;

export function wholeStream(name: StreamName): Buffer {
  if (name === "rich") return richStream(NEWEST, { dialectRecords: true });
  if (name === "extended") return extendedStream();
  return name === "minimal" ? readFileSync(MINIMAL) : convertedFixture(name).bytes;
}

/** A stream in which fields and records are changed, byte by byte around them as it was. */
export class DamagedStream {
  #image: LinuxCrImage;

  constructor(readonly name: StreamName) {
    this.#image = new LinuxCrImage(new MemorySource(wholeStream(name), `${name}.ckpt`));
  }

  get image(): LinuxCrImage {
    return this.#image;
  }

  get bytes(): Buffer {
    return this.#image.source.read(0, this.#image.source.size);
  }

  open(): LinuxCrDocument {
    return openStream(new MemorySource(this.bytes, `${this.name}.ckpt`));
  }

  /** Index of a record by its kind: the first, the one after it …, those from the end below 0, or the first that fits. */
  find(kind: RecordKind, which: number | ((fields: Fields) => boolean) = 0): number {
    const { image } = this;
    const all = Array.from({ length: image.length }, (_, i) => i).filter((i) => image.kind(i) === kind);
    const found = typeof which === "number" ? all.at(which) : all.find((i) => which(image.fields(i)));
    if (found === undefined) throw new Error(`${this.name} has no such ${kind.name}`);
    return found;
  }

  /** Gives fields of a record other values; of structures inside only those that are named. */
  set(kind: RecordKind, changes: Fields, which?: number | ((fields: Fields) => boolean)): this {
    return this.setAt(this.find(kind, which), changes);
  }

  /** The same for the record of an index. */
  setAt(index: number, changes: Fields): this {
    const { offset, size } = this.image.range(index);
    const table = this.image.layout(index);
    if (table === undefined) throw new Error(`record ${index} has no fields`);
    const old = this.bytes.subarray(offset, offset + size);
    const value = merged(this.image.fields(index), changes) as StructValue<StructTable>;
    const fixed = writeStruct(table, value, this.image.byteOrder, old);
    return this.#splice(
      offset,
      Math.min(size, fixed.length),
      fixed.subarray(0, Math.min(size, fixed.length)),
    );
  }

  /** Gives a record another payload, and its length; counts elsewhere stay as they were. */
  payload(index: number, payload: Buffer): this {
    const { offset, size } = this.image.range(index);
    const old = this.image.payload(index);
    const head = Buffer.from(this.bytes.subarray(offset, old.offset));
    const tail = this.bytes.subarray(old.offset + old.size, offset + size);
    head.writeUInt32LE(head.length + payload.length + tail.length, 4);
    return this.#splice(offset, size, Buffer.concat([head, payload, tail]));
  }

  /** Changes bytes of a payload in place. */
  poke(index: number, at: number, bytes: Buffer): this {
    return this.#splice(this.image.payload(index).offset + at, bytes.length, bytes);
  }

  drop(index: number): this {
    const { offset, size } = this.image.range(index);
    return this.#splice(offset, size, Buffer.alloc(0));
  }

  /** Puts a record in front of another. */
  insert(before: number, kind: RecordKind, fields: Fields = {}, payload?: Buffer): this {
    const { offset } = this.image.place(before);
    return this.#splice(
      offset,
      0,
      encodeRecord(kind, this.image.dialect, this.image.byteOrder, fields, payload),
    );
  }

  /** Puts bytes in front of a record, or at the end. */
  raw(before: number, bytes: Buffer): this {
    return this.#splice(this.image.place(before).offset, 0, bytes);
  }

  /** Leaves the stream only so many bytes. */
  cut(bytes: number): this {
    return this.#splice(bytes, this.bytes.length - bytes, Buffer.alloc(0));
  }

  #splice(offset: number, size: number, bytes: Buffer): this {
    const all = this.bytes;
    const spliced = Buffer.concat([all.subarray(0, offset), bytes, all.subarray(offset + size)]);
    this.#image = new LinuxCrImage(new MemorySource(spliced, `${this.name}.ckpt`));
    return this;
  }
}

function merged(value: Fields, changes: Fields): Fields {
  const inner = (before: unknown, after: unknown): unknown =>
    isStructure(before) && isStructure(after) ? merged(before, after) : after;
  return {
    ...value,
    ...Object.fromEntries(
      Object.entries(changes).map(([name, change]) => [name, inner(value[name], change)]),
    ),
  };
}

function isStructure(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

export { RECORDS as R };
