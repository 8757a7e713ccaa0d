import { type ConcatSource, type Piece, PieceList, pieceSize, type SourceRange } from "../../io/concat.js";
import { type ByteSource, checkRange } from "../../io/source.js";
import { PAGE_SIZE } from "../../linux/mman.js";
import type { StructTable, StructValue } from "../../schema/struct.js";
import { writeStruct } from "../../schema/struct-writer.js";
import type { Dialect, RecordKind } from "./record-kind.js";
import { RECORDS } from "./records.js";
import { ARCHITECTURES, archNumbering, type ObjectType, objectTypes } from "./revisions.js";
import { encodeRecord, textPayload } from "./write.js";

/** The dialect that crimg writes: the last header set of v23-rc2, x86-64. */
export const WRITTEN_DIALECT: Dialect = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 };

/** HEADER.arch_id of `WRITTEN_DIALECT`. */
export const WRITTEN_ARCH_ID = archNumbering(WRITTEN_DIALECT.commit).indexOf("X86_64") + 1;

/** Keys of one PGARR: 16 blocks of a page each, as in the kernel. */
const PAGES_AT_ONCE = (16 * PAGE_SIZE) / 8;

/** Above this number, the runs of a batch are held as one piece of the stream. */
const MANY_RUNS = 64;

/** Adjacent pages of a page list. Keys are addresses (`step` is the page size) or page indexes (`step` is 1). */
export interface PageRun {
  /** Key of the first page. */
  readonly key: bigint;
  readonly pages: number;
  /** Location of the contents; zeros if not given. */
  readonly from?: { readonly source: ByteSource; readonly offset: number } | undefined;
}

/** A record that is to be written. */
export interface NewRecord {
  readonly kind: RecordKind;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly payload?: Buffer | readonly Piece[];
}

/**
 * Writes a linux-cr stream, record by record. Contents of files are held as ranges, so that neither memory pages nor files
 * are held in memory. Objrefs are assigned from 1 in the order of first use.
 */
export class StreamWriter {
  readonly dialect = WRITTEN_DIALECT;
  readonly #pieces = new PieceList();
  readonly #types = objectTypes(WRITTEN_DIALECT.commit);
  #nextRef = 1;

  /** Bytes so far. */
  get size(): number {
    return this.#pieces.size;
  }

  /**
   * A record. `payload` follows the fields; its count, if the record has one, is set.
   * Errors: CrimgError INVALID for a value that is invalid for its field.
   */
  record(
    kind: RecordKind,
    fields: Readonly<Record<string, unknown>> = {},
    payload: Buffer | readonly Piece[] = Buffer.alloc(0),
  ): void {
    const parts = Buffer.isBuffer(payload) ? [payload] : payload;
    if (parts.every((part) => Buffer.isBuffer(part))) {
      const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      this.#pieces.add(encodeRecord(kind, this.dialect, this.dialect.arch.byteOrder, fields, bytes));
      return;
    }
    const head = encodeRecord(kind, this.dialect, this.dialect.arch.byteOrder, fields);
    head.writeUInt32LE(head.length + parts.reduce((sum, part) => sum + pieceSize(part), 0), 4);
    this.#pieces.add(head);
    for (const part of parts) this.#pieces.add(part);
  }

  records(all: Iterable<NewRecord>): void {
    for (const { kind, fields, payload } of all) this.record(kind, fields, payload);
  }

  /** The bytes of a structure in a payload. Errors: CrimgError INVALID for an invalid value. */
  bytesOf<S extends StructTable>(table: S, value: StructValue<S>): Buffer {
    return writeStruct(table, value, this.dialect.arch.byteOrder);
  }

  /** A STRING or FILE_NAME. Errors: EditError for an embedded NUL or a path that is too long. */
  text(kind: RecordKind, text: string): void {
    this.record(kind, {}, textPayload(kind, text));
  }

  /** A BUFFER with these bytes. */
  buffer(...parts: readonly Piece[]): void {
    this.record(RECORDS.BUFFER, {}, parts);
  }

  /** Bytes without a record: the page after a SOCKET_FRAG. */
  raw(piece: Piece): void {
    this.#pieces.add(piece);
  }

  /** The next objref, for objects without an OBJREF: INODE, SIGNAL, the reserved one of a pty master. */
  number(): number {
    return this.#nextRef++;
  }

  /** Consecutive tags of process ids; returns the first one. */
  numbers(count: number): number {
    const first = this.#nextRef;
    this.#nextRef += count;
    return first;
  }

  /** Declares an object: its records, after those of its inner objects, must follow. */
  objref(type: ObjectType): number {
    const objref = this.number();
    this.record(RECORDS.OBJREF, { objtype: this.#types.indexOf(type), objref });
    return objref;
  }

  /** A complete page list: the pages in batches, then the empty batch that ends every list. */
  pages(runs: Iterable<PageRun>, step: bigint): void {
    let batch: PageRun[] = [];
    let count = 0;
    for (const run of runs)
      for (let done = 0; done < run.pages; ) {
        const pages = Math.min(run.pages - done, PAGES_AT_ONCE - count);
        batch.push(pages === run.pages ? run : partOf(run, done, pages, step));
        done += pages;
        count += pages;
        if (count < PAGES_AT_ONCE) continue;
        this.#pageArray(batch, count, step);
        batch = [];
        count = 0;
      }
    if (count > 0) this.#pageArray(batch, count, step);
    this.record(RECORDS.PGARR, { nr_pages: 0n });
  }

  /** Everything written, as one source over the original files. */
  source(name: string): ConcatSource {
    return this.#pieces.source(name);
  }

  #pageArray(runs: readonly PageRun[], count: number, step: bigint): void {
    this.record(RECORDS.PGARR, { nr_pages: BigInt(count) });
    const keys: SourceRange = { source: new KeyList(runs, count, step), offset: 0, size: count * 8 };
    if (runs.length > MANY_RUNS) {
      const source = new ScatteredPages(runs);
      this.buffer(keys, { source, offset: 0, size: source.size });
      return;
    }
    this.buffer(
      keys,
      ...runs.map(({ from, pages }) =>
        from === undefined ? { zeros: pages * PAGE_SIZE } : { ...from, size: pages * PAGE_SIZE },
      ),
    );
  }
}

function partOf({ key, from }: PageRun, skip: number, pages: number, step: bigint): PageRun {
  return {
    key: key + BigInt(skip) * step,
    pages,
    from: from && { source: from.source, offset: from.offset + skip * PAGE_SIZE },
  };
}

/** The pages of one batch, whose runs are scattered. */
export class ScatteredPages implements ByteSource {
  readonly name = "scattered pages";
  readonly size: number;

  constructor(readonly runs: readonly PageRun[]) {
    this.size = runs.reduce((sum, { pages }) => sum + pages, 0) * PAGE_SIZE;
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const bytes = Buffer.alloc(size);
    let at = 0;
    for (const { pages, from } of this.runs) {
      const start = Math.max(at, offset);
      const end = Math.min(at + pages * PAGE_SIZE, offset + size);
      if (from !== undefined && start < end)
        from.source.read(from.offset + start - at, end - start).copy(bytes, start - offset);
      at += pages * PAGE_SIZE;
      if (at >= offset + size) break;
    }
    return bytes;
  }

  close(): void {}
}

/** The keys of one batch, generated when read: those of all pages of a large image would exhaust memory. */
class KeyList implements ByteSource {
  readonly name = "page keys";
  readonly size: number;

  constructor(
    readonly runs: readonly PageRun[],
    count: number,
    readonly step: bigint,
  ) {
    this.size = count * 8;
  }

  read(offset: number, size: number): Buffer {
    const keys = Buffer.alloc(this.size);
    let at = 0;
    for (const { key, pages } of this.runs) {
      at = keys.writeBigUInt64LE(key, at);
      for (let page = 1; page < pages; page++) at = keys.writeBigUInt64LE(key + BigInt(page) * this.step, at);
    }
    return keys.subarray(offset, offset + size);
  }

  close(): void {}
}
