import type { Part } from "../../formats/linux-cr/parse.js";
import { PAGE_SIZE } from "../../linux/mman.js";
import type { StreamReader } from "./reader.js";

/** Neighbouring pages: saved side by side from `offset` of the image on, or, without it, not saved. */
export interface SavedRun {
  readonly page: number;
  readonly pages: number;
  readonly offset: number | undefined;
}

const pageSizes = new WeakMap<StreamReader, number>();

/** Bytes of a page: no field says it, the first saved pages do; 4096 when there are none. Errors: FormatError. */
export function pageSizeOf(reader: StreamReader): number {
  let size = pageSizes.get(reader);
  if (size === undefined) {
    size = firstPageSize(reader) ?? PAGE_SIZE;
    pageSizes.set(reader, size);
  }
  return size;
}

function firstPageSize(reader: StreamReader): number | undefined {
  for (const object of reader.tree.objects.values())
    for (const part of withPages(object))
      for (const { record, pages } of part.pageArrays) return pageBytes(reader, record, pages);
  return undefined;
}

function* withPages(part: Part): Generator<Part> {
  if (part.pageArrays.length > 0) yield part;
  for (const inner of part.parts) yield* withPages(inner);
}

/** A page array has a key of a machine word for each page, then the pages. */
function pageBytes({ image }: StreamReader, record: number, pages: number): number {
  const size = image.payload(record).size / pages - image.dialect.arch.wordBytes;
  if (size < PAGE_SIZE || !Number.isInteger(Math.log2(size)))
    throw image.error(record, `pages of ${size} bytes, which no kernel has`);
  return size;
}

/** The saved pages of a mapping or a segment in runs, ascending. Their keys are read, their contents never. */
export class SavedPages {
  /** In bytes. */
  readonly pageSize: number;
  readonly #first: number[] = [];
  readonly #pages: number[] = [];
  readonly #offset: number[] = [];

  /** `keys` are addresses, or page indexes of a segment. Errors: FormatError for pages out of place or saved twice. */
  constructor(reader: StreamReader, part: Part, keys: "addresses" | "indexes") {
    const pageSize = pageSizeOf(reader);
    this.pageSize = pageSize;
    const unit = keys === "addresses" ? BigInt(pageSize) : 1n;
    let isSorted = true;
    let [end, endOffset] = [0, -1];
    for (const { record, pages } of part.pageArrays) {
      if (pageBytes(reader, record, pages) !== pageSize)
        throw reader.image.error(record, `pages of another size than ${pageSize} bytes`);
      const { offset } = reader.image.payload(record);
      let at = offset + pages * reader.image.dialect.arch.wordBytes;
      for (const key of keysOf(reader, offset, pages)) {
        if (key % unit !== 0n)
          throw reader.image.error(record, `0x${key.toString(16)} is not where a page begins`);
        const page = Number(key / unit);
        if (page === end && at === endOffset) (this.#pages[this.#pages.length - 1] as number)++;
        else {
          if (page < end) isSorted = false;
          this.#first.push(page);
          this.#pages.push(1);
          this.#offset.push(at);
        }
        at += pageSize;
        [end, endOffset] = [page + 1, at];
      }
    }
    if (!isSorted) this.#sort(reader, part);
  }

  /** All of them. */
  *all(): Generator<SavedRun & { readonly offset: number }> {
    for (const [i, page] of this.#first.entries())
      yield { page, pages: this.#pages[i] as number, offset: this.#offset[i] as number };
  }

  /** [from, to) without a gap, pages that are not saved between those that are. */
  *runs(from: number, to: number, pageSize: number): Generator<SavedRun> {
    let page = from;
    for (let i = this.#indexAt(from); i < this.#first.length && page < to; i++) {
      const first = this.#first[i] as number;
      if (first >= to) break;
      if (first > page) yield { page, pages: first - page, offset: undefined };
      const start = Math.max(page, first);
      const end = Math.min(to, first + (this.#pages[i] as number));
      yield {
        page: start,
        pages: end - start,
        offset: (this.#offset[i] as number) + (start - first) * pageSize,
      };
      page = end;
    }
    if (page < to) yield { page, pages: to - page, offset: undefined };
  }

  count(from: number, to: number): number {
    let sum = 0;
    for (let i = this.#indexAt(from); i < this.#first.length; i++) {
      const first = this.#first[i] as number;
      if (first >= to) break;
      sum += Math.min(to, first + (this.#pages[i] as number)) - Math.max(from, first);
    }
    return sum;
  }

  /** The first run that ends behind `page`. */
  #indexAt(page: number): number {
    let low = 0;
    let high = this.#first.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#first[middle] as number) + (this.#pages[middle] as number) > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Kernels write pages in the order of their addresses; other writers need not. */
  #sort(reader: StreamReader, part: Part): void {
    const columns = [this.#first, this.#pages, this.#offset];
    const order = this.#first
      .map((_, i) => i)
      .sort((a, b) => (this.#first[a] as number) - (this.#first[b] as number));
    for (const column of columns) {
      const old = [...column];
      for (const [to, from] of order.entries()) column[to] = old[from] as number;
    }
    for (let i = 1; i < this.#first.length; i++)
      if ((this.#first[i] as number) < (this.#first[i - 1] as number) + (this.#pages[i - 1] as number))
        throw reader.image.error(
          part.pageArrays[0]?.record ?? 0,
          `page 0x${(this.#first[i] as number).toString(16)} is saved twice`,
        );
  }
}

function* keysOf({ image }: StreamReader, offset: number, pages: number): Generator<bigint> {
  const { wordBytes } = image.dialect.arch;
  const bytes = image.source.read(offset, pages * wordBytes);
  const isLittle = image.byteOrder === "little-endian";
  for (let at = 0; at < bytes.length; at += wordBytes)
    if (wordBytes === 8) yield isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
    else yield BigInt(isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
}
