import { BlockReader } from "../../io/block-reader.js";
import type { ByteOrder } from "../../io/byte-order.js";
import { FormatError } from "../../io/errors.js";
import { MAX_RECORD_BYTES } from "../../io/limits.js";
import { type ByteSource, checkRange } from "../../io/source.js";
import { bytesToText } from "../../io/text.js";
import type { StructTable, StructValue } from "../../schema/struct.js";
import { readStruct } from "../../schema/struct-reader.js";
import { type Dialect, layoutOf, type RecordKind, type RecordValue } from "./record-kind.js";
import { RECORDS, recordKinds } from "./records.js";
import { findRevision, type Revision } from "./revision.js";
import type { Commit } from "./revisions.js";
import { type Ending, HEADER_BYTES, type Scan, scanStream } from "./scan.js";

/** A range of the image in bytes. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** Upper bound of FILE.f_type; larger ones have the generic layout. */
const FILE_TYPES = 16;

const listsOfKinds = new Map<Commit, readonly (RecordKind | undefined)[]>();

/** The kinds of a header set indexed by id: faster than a map, which matters for millions of records. */
function kindsById(commit: Commit): readonly (RecordKind | undefined)[] {
  let list = listsOfKinds.get(commit);
  if (list === undefined) {
    const kinds = recordKinds(commit);
    list = Array.from({ length: Math.max(...kinds.keys()) + 1 }, (_, id) => kinds.get(id));
    listsOfKinds.set(commit, list);
  }
  return list;
}

/** Whether the layout of a kind depends on more than the header set and architecture. */
function isVarying(kind: RecordKind, { arch }: Dialect): boolean {
  const ours = kind.layouts.filter((layout) => layout.arch === arch.family);
  return kind === RECORDS.FILE || ours.some(({ since }, i) => ours.findIndex((l) => l.since === since) !== i);
}

/** A linux-cr stream: its records in order, read lazily. Pages are never read. */
export class LinuxCrImage {
  readonly name: string;
  readonly byteOrder: ByteOrder;
  readonly ending: Ending;
  readonly revision: Revision;
  readonly dialect: Dialect;
  readonly #scan: Scan;
  readonly #blocks: BlockReader;
  /** By their ids. */
  readonly #kinds: readonly (RecordKind | undefined)[];
  readonly #layouts = new Map<RecordKind, StructTable | "varying" | undefined>();
  readonly #fileLayouts: (StructTable | undefined)[] = [];

  /**
   * `scanned` is the same stream, already opened, whose record index is reused.
   * Errors: FormatError INVALID if it is not a linux-cr stream. Truncated ones can be opened; see `ending`.
   */
  constructor(
    readonly source: ByteSource,
    scanned?: LinuxCrImage,
  ) {
    this.name = source.name;
    this.#scan = scanned === undefined ? scanStream(source) : scanned.#scan;
    this.#blocks = new BlockReader(source);
    this.byteOrder = this.#scan.byteOrder;
    this.ending = this.#scan.ending;
    if (this.length === 0) throw this.ending.error as FormatError;
    const isLittle = this.byteOrder === "little-endian";
    this.revision = findRevision(this.#scan.index, this.byteOrder, {
      // arch_id, at 16, is little-endian in every image.
      u16: (record, offset) => {
        const bytes = this.#word(record, offset, 2);
        return isLittle || offset === 16 ? bytes.readUInt16LE() : bytes.readUInt16BE();
      },
      u32: (record, offset) => {
        const bytes = this.#word(record, offset, 4);
        return isLittle ? bytes.readUInt32LE() : bytes.readUInt32BE();
      },
    });
    this.dialect = this.revision.dialect;
    this.#kinds = kindsById(this.dialect.commit);
  }

  /** Number of records. */
  get length(): number {
    return this.#scan.index.length;
  }

  id(index: number): number | undefined {
    return this.#scan.index.id(index);
  }

  /** The kind of a record; undefined beyond the end and for ids unknown to the header set. */
  kind(index: number): RecordKind | undefined {
    const id = this.id(index);
    return id === undefined ? undefined : this.#kinds[id];
  }

  /** The record with its header. */
  range(index: number): Range {
    return { offset: this.#scan.index.offset(index), size: this.#scan.index.size(index) };
  }

  /** The page after a SOCKET_FRAG, which has no header. */
  rawPage(index: number): Range | undefined {
    const size = this.#scan.index.rawPage(index);
    if (size === undefined) return undefined;
    const { offset, size: before } = this.range(index);
    return { offset: offset + before, size };
  }

  /** The payload after the fixed part, inside the record; empty if there is none. */
  payload(index: number): Range {
    const { offset, size } = this.range(index);
    const kind = this.kind(index);
    const fixed =
      kind === undefined ? HEADER_BYTES : (kind.payloadAt ?? this.layout(index)?.size ?? HEADER_BYTES);
    const slack = kind?.slack ?? 0;
    return { offset: offset + Math.min(size, fixed), size: Math.max(0, size - fixed - slack) };
  }

  /** Layout of the fixed part of a record; undefined if it is only the header. */
  layout(index: number): StructTable | undefined {
    const kind = this.kind(index);
    if (kind === undefined) return undefined;
    let layout = this.#layouts.get(kind);
    if (layout === undefined && !this.#layouts.has(kind)) {
      layout = isVarying(kind, this.dialect) ? "varying" : layoutOf(kind, this.dialect, 0);
      this.#layouts.set(kind, layout);
    }
    return layout === "varying" ? this.#varyingLayout(kind, index) : layout;
  }

  /** Errors: FormatError TRUNCATED for a record that is too short for its fields. */
  checkSize(index: number): void {
    const table = this.layout(index);
    const size = this.#scan.index.size(index);
    if (table !== undefined && size < table.size)
      throw new FormatError(
        "TRUNCATED",
        `truncated: found ${size} bytes of ${table.name} (expected ${table.size})`,
        this.place(index),
      );
  }

  /** The fields of a record of this kind. Errors: FormatError for another kind or a record that is too short. */
  value<K extends RecordKind>(index: number, kind: K): RecordValue<K> {
    if (this.kind(index) !== kind) throw this.error(index, `${kind.name} was expected`);
    return this.fields(index) as RecordValue<K>;
  }

  /** The fields of any record by name; empty without a fixed part. Errors: FormatError TRUNCATED. */
  fields(index: number): Readonly<Record<string, unknown>> {
    const table = this.layout(index);
    if (table === undefined) return {};
    const { offset, size } = this.range(index);
    if (size < table.size) this.checkSize(index);
    const head = this.read(offset, table.size);
    return readStruct(table, head, this.byteOrder) as Readonly<Record<string, unknown>>;
  }

  /** Bytes of the image; small reads close together cost one system call. Errors: FormatError TRUNCATED. */
  read(offset: number, size: number): Buffer {
    return this.#blocks.read(offset, size);
  }

  /** Bytes of a payload. Errors: FormatError TOO_LARGE above the limit. */
  bytes(index: number): Buffer {
    const { offset, size } = this.payload(index);
    if (size > MAX_RECORD_BYTES)
      throw new FormatError(
        "TOO_LARGE",
        `record too large: ${size} bytes (expected at most ${MAX_RECORD_BYTES})`,
        this.place(index),
      );
    return this.read(offset, size);
  }

  /** Text of a STRING or FILE_NAME up to its NUL. */
  text(index: number): string {
    const bytes = this.bytes(index);
    const end = bytes.indexOf(0);
    return bytesToText(end === -1 ? bytes : bytes.subarray(0, end));
  }

  /** The structures of a payload. Errors: FormatError if its size is not a multiple of theirs. */
  structs<S extends StructTable>(index: number, table: S): StructValue<S>[] {
    const bytes = this.bytes(index);
    if (bytes.length % table.size !== 0)
      throw this.error(
        index,
        `invalid payload of ${bytes.length} bytes (expected a multiple of ${table.size}, the size of ${table.name})`,
      );
    return Array.from({ length: bytes.length / table.size }, (_, i) =>
      readStruct(table, bytes.subarray(i * table.size), this.byteOrder, this.place(index)),
    );
  }

  /** The signed 32-bit numbers of a payload; a remainder is ignored. */
  numbers(index: number): number[] {
    const bytes = this.bytes(index);
    const isLittle = this.byteOrder === "little-endian";
    return Array.from({ length: bytes.length >> 2 }, (_, i) =>
      isLittle ? bytes.readInt32LE(i * 4) : bytes.readInt32BE(i * 4),
    );
  }

  /** Name of a record for messages. */
  label(index: number): string {
    const id = this.id(index);
    return id === undefined
      ? "the end of the image"
      : (this.kind(index)?.name ?? `a record of unknown id ${id}`);
  }

  place(index: number): { file: string; offset: number; path: string } {
    const offset = index < this.length ? this.range(index).offset : this.ending.offset;
    return { file: this.name, offset, path: `[${index}]` };
  }

  error(index: number, text: string): FormatError {
    return new FormatError("INVALID", `${text}; found ${this.label(index)}`, this.place(index));
  }

  close(): void {
    this.source.close();
  }

  #word(index: number, offset: number, size: number): Buffer {
    const { offset: start, size: there } = this.range(index);
    if (offset + size > there)
      throw new FormatError("TRUNCATED", `truncated: found ${there} bytes of the record`, {
        file: this.name,
        offset: start,
      });
    checkRange(this.source, start + offset, size);
    return this.read(start + offset, size);
  }

  #varyingLayout(kind: RecordKind, index: number): StructTable | undefined {
    const size = this.#scan.index.size(index);
    if (kind !== RECORDS.FILE) return layoutOf(kind, this.dialect, size);
    const type = size >= 12 ? this.u32(index, 8) : FILE_TYPES;
    if (type >= FILE_TYPES) return layoutOf(kind, this.dialect, size);
    this.#fileLayouts[type] ??= layoutOf(kind, this.dialect, size, type);
    return this.#fileLayouts[type];
  }

  /** One number of a record, `offset` from its start. Errors: FormatError TRUNCATED. */
  u32(index: number, offset: number): number {
    const bytes = this.#word(index, offset, 4);
    return this.byteOrder === "little-endian" ? bytes.readUInt32LE() : bytes.readUInt32BE();
  }
}
