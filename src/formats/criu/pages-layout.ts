import { FormatError, UnsupportedError } from "../../io/errors.js";
import { alignUp, blockOffsets, blocksSize, checkPlain, type PageFormat } from "./compressed-pages.js";
import { type Pagemap, PE } from "./pagemap.js";

const KNOWN_FLAGS = PE.PARENT | PE.LAZY | PE.PRESENT | PE.PAYLOAD_ALIGNED;

/** Numbers of pages by location: in the set itself, in a parent set, left in the dumped task. */
export interface PageCounts {
  readonly stored: number;
  readonly inParent: number;
  readonly lazy: number;
}

/** A pagemap with page numbers (address / page size) and the offset of each entry in the pages file. */
export class PageLayout {
  /** Page number of each entry's first page, ascending. */
  readonly first: Float64Array;
  /** Offset of each entry in the pages file; meaningless without PE_PRESENT. */
  readonly offset: Float64Array;
  /** Total bytes of all entries in the pages file. */
  readonly size: number;
  readonly #blockOffsets = new Map<number, Float64Array>();

  /** Errors: FormatError for entries that are out of order, overlap or are inconsistent. */
  constructor(
    readonly pagemap: Pagemap,
    readonly pageSize: number,
    format: PageFormat,
  ) {
    checkPlain(pagemap, format);
    const { length, pages, flags } = pagemap;
    const lastPage = 2 ** 64 / pageSize;
    this.first = new Float64Array(length);
    this.offset = new Float64Array(length);
    let end = 0;
    let size = 0;
    for (let i = 0; i < length; i++) {
      const first = pagemap.firstPage(i, pageSize);
      const count = pages[i] as number;
      const bits = flags[i] as number;
      if (!(first >= end) || first + count > lastPage) throwMisplaced(pagemap, i, first, lastPage, pageSize);
      if (!hasValidFlags(bits)) throwFlags(pagemap, i, bits);
      this.first[i] = first;
      end = first + count;
      if ((bits & PE.PRESENT) === 0) continue;
      if ((bits & PE.PAYLOAD_ALIGNED) !== 0) size = alignUp(size, pageSize);
      this.offset[i] = size;
      const blocks = pagemap.blocks.size === 0 ? undefined : pagemap.blocks.get(i);
      size += blocks === undefined ? count * pageSize : blocksSize(pagemap, i, blocks, pageSize);
    }
    this.size = size;
  }

  get length(): number {
    return this.first.length;
  }

  /** Page number after the entry's last page. */
  end(index: number): number {
    return (this.first[index] as number) + (this.pagemap.pages[index] as number);
  }

  /** The first entry that ends after `page`: the one that contains it, or the next one; `length` if none. */
  indexAt(page: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.end(middle) > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Numbers of pages of [from, to) with an entry, by location. */
  count(from: number, to: number): PageCounts {
    const counts = { stored: 0, inParent: 0, lazy: 0 };
    const { flags } = this.pagemap;
    for (let i = this.indexAt(from); i < this.length; i++) {
      const first = this.first[i] as number;
      if (first >= to) break;
      const pages = Math.min(to, this.end(i)) - Math.max(from, first);
      const bits = flags[i] as number;
      if ((bits & PE.PRESENT) !== 0) counts.stored += pages;
      else if ((bits & PE.PARENT) !== 0) counts.inParent += pages;
      else if ((bits & PE.LAZY) !== 0) counts.lazy += pages;
    }
    return counts;
  }

  /** Offset in the pages file of a block of a compressed entry. */
  blockOffset(index: number, block: number): number {
    let offsets = this.#blockOffsets.get(index);
    if (offsets === undefined) {
      const blocks = this.pagemap.blocks.get(index);
      if (blocks === undefined) throw new Error("the entry is not compressed");
      offsets = blockOffsets(blocks, this.pageSize);
      this.#blockOffsets.set(index, offsets);
    }
    return (this.offset[index] as number) + (offsets[block] as number);
  }
}

/** Whether the flags of a pagemap entry are known ones that name one place of the pages. */
export function hasValidFlags(flags: number): boolean {
  return flags <= KNOWN_FLAGS && !isContradiction(flags);
}

function isContradiction(flags: number): boolean {
  const present = (flags & PE.PRESENT) !== 0;
  return present ? (flags & PE.PARENT) !== 0 : (flags & PE.PAYLOAD_ALIGNED) !== 0;
}

function throwFlags(pagemap: Pagemap, index: number, flags: number): never {
  const hex = `0x${flags.toString(16)}`;
  if (flags > KNOWN_FLAGS)
    throw new UnsupportedError(
      `unknown bits in the flags ${hex} of a pagemap entry, which may change how its pages are stored`,
      pagemap.place(index),
    );
  throw new FormatError("INVALID", `contradictory flags ${hex} of a pagemap entry`, pagemap.place(index));
}

function throwMisplaced(
  pagemap: Pagemap,
  index: number,
  first: number,
  lastPage: number,
  pageSize: number,
): never {
  const address = `0x${(pagemap.vaddr[index] as bigint).toString(16)}`;
  const text = Number.isNaN(first)
    ? `invalid address ${address} (expected a multiple of the page size ${pageSize})`
    : first + (pagemap.pages[index] as number) > lastPage
      ? `invalid range of ${pagemap.pages[index]} pages from ${address} (beyond the last address)`
      : `pages at ${address} overlap those of the previous entry, or are out of order`;
  throw new FormatError("INVALID", text, pagemap.place(index));
}
