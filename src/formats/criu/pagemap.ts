import type { ByteOrder } from "../../io/byte-order.js";
import { FormatError } from "../../io/errors.js";
import { MAX_PAGEMAP_ENTRIES, MAX_RECORD_BYTES } from "../../io/limits.js";
import { decodeMessage } from "../../schema/decode.js";
import { WireError, WireReader } from "../../schema/wire.js";
import { readU32 } from "./detect.js";
import type { CriuImage } from "./image.js";
import { IMAGES } from "./images.js";
import { PAGEMAP_ENTRY, type PagemapEntry, type PagemapHead } from "./tables/pagemap.js";

/** Bits of `pagemap_entry.flags`. */
export const PE = { PARENT: 1, LAZY: 2, PRESENT: 4, PAYLOAD_ALIGNED: 8 } as const;

/** Whether pages with these flags are only on the source host, in no set; those in a parent may be lazy too. */
export function isLazyOnly(flags: number): boolean {
  return (flags & (PE.LAZY | PE.PRESENT | PE.PARENT)) === PE.LAZY;
}

/** Compression of the pages of one entry. */
export interface PageBlocks {
  /** Bytes of each block in the pages file: 0 for zeros, the full size for raw pages, else an LZ4 block. */
  readonly sizes: Uint32Array;
  readonly pagesPerBlock: number;
  /** Non-empty blocks are padded to whole pages of the file. */
  readonly padded: boolean;
  /** Total size of the blocks, by the entry. */
  readonly total: bigint | undefined;
}

/** Bytes of a pagemap read at once. */
const CHUNK_BYTES = 1024 * 1024;

/** Index of the low word in a BigUint64Array element on this machine. */
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

/** A pagemap as columns, one element per entry, in the order of the image. */
export class Pagemap {
  length = 0;
  vaddr = new BigUint64Array(256);
  /** Page counts; exact up to 2^53. */
  pages = new Float64Array(256);
  /** `PE` bits; derived for criu before 3.5, which had none. */
  flags = new Uint32Array(256);
  /** File offset of the entry's message. */
  recordOffset = new Float64Array(256);
  /** Only for entries with compressed pages. */
  readonly blocks = new Map<number, PageBlocks>();
  #halves = new Uint32Array(this.vaddr.buffer);

  constructor(
    /** Path of the image, for messages. */
    readonly file: string,
    readonly pagesId: number,
  ) {}

  /** Number of the entry's first page; NaN if its address is not a multiple of the page size. */
  firstPage(index: number, pageSize: number): number {
    const low = this.#halves[index * 2 + LOW] as number;
    const high = this.#halves[index * 2 + 1 - LOW] as number;
    return low % pageSize === 0 ? high * (2 ** 32 / pageSize) + low / pageSize : Number.NaN;
  }

  /** Location of an entry, for messages; entry 0 is record 1 of the image. */
  place(index: number): { file: string; path: string; offset: number | undefined } {
    return { file: this.file, path: `[${index + 1}]`, offset: this.recordOffset[index] };
  }

  push(low: number, high: number, pages: number, flags: number, offset: number): void {
    const index = this.length++;
    if (index === this.flags.length) this.#grow();
    this.#halves[index * 2 + LOW] = low;
    this.#halves[index * 2 + 1 - LOW] = high;
    this.pages[index] = pages;
    this.flags[index] = flags;
    this.recordOffset[index] = offset;
    if (pages > Number.MAX_SAFE_INTEGER)
      throw new FormatError(
        "INVALID",
        `invalid number of pages ${pages} (larger than any address space)`,
        this.place(index),
      );
    if (this.length > MAX_PAGEMAP_ENTRIES)
      throw new FormatError(
        "TOO_LARGE",
        `too many pagemap entries (expected at most ${MAX_PAGEMAP_ENTRIES})`,
        this.place(index),
      );
  }

  /** Trims the columns to their exact length. */
  trim(): this {
    this.vaddr = this.vaddr.subarray(0, this.length);
    this.pages = this.pages.subarray(0, this.length);
    this.flags = this.flags.subarray(0, this.length);
    this.recordOffset = this.recordOffset.subarray(0, this.length);
    return this;
  }

  #grow(): void {
    const size = this.flags.length * 2;
    this.vaddr = grown(new BigUint64Array(size), this.vaddr);
    this.pages = grown(new Float64Array(size), this.pages);
    this.flags = grown(new Uint32Array(size), this.flags);
    this.recordOffset = grown(new Float64Array(size), this.recordOffset);
    this.#halves = new Uint32Array(this.vaddr.buffer);
  }
}

function grown<T extends { set(from: T): void }>(larger: T, column: T): T {
  larger.set(column);
  return larger;
}

/**
 * Reads the pagemap of a task or of a shared segment. Entries are read directly from the wire; unusual ones through the
 * message decoder. Order and overlap are not checked here.
 * Errors: FormatError with file, record and offset.
 */
export function readPagemap(image: CriuImage): Pagemap {
  const { source, header } = image;
  if (header === undefined || header.kind.magic !== IMAGES.PAGEMAP.magic)
    throw new FormatError("INVALID", "not a pagemap image", { file: source.name, offset: 0 });
  const head = image.readRecords().next().value;
  if (head === undefined)
    throw new FormatError("TRUNCATED", "truncated: missing pagemap_head", {
      file: source.name,
    });
  const pagemap = new Pagemap(source.name, (head.value as PagemapHead).pages_id);
  if (image.omitsDamage) return addRecords(pagemap, image).trim();
  let want = CHUNK_BYTES;
  for (let offset = head.end; offset < source.size; ) {
    const chunk = source.read(offset, Math.min(want, source.size - offset));
    const used = readChunk(pagemap, chunk, offset, header.byteOrder);
    if (used === 0) {
      want = chunk.length < 4 ? Number.POSITIVE_INFINITY : 4 + readU32(chunk, header.byteOrder);
      if (want > source.size - offset || want > 4 + MAX_RECORD_BYTES) throwFramingError(image);
    } else want = CHUNK_BYTES;
    offset += used;
  }
  return pagemap.trim();
}

/** Reads the complete records in `chunk`, which starts at the file offset `base`; returns their size. */
function readChunk(pagemap: Pagemap, chunk: Buffer, base: number, byteOrder: ByteOrder): number {
  const reader = new WireReader(chunk, 0, 0);
  let at = 0;
  while (at + 4 <= chunk.length) {
    const start = at + 4;
    const end = start + readU32(chunk, byteOrder, at);
    if (end > chunk.length) break;
    reader.pos = start;
    reader.end = end;
    if (!readPlainEntry(pagemap, reader, base + start)) {
      const path = `[${pagemap.length + 1}]`;
      const place = { file: pagemap.file, path, offset: base + start };
      addEntry(pagemap, decodeMessage(PAGEMAP_ENTRY, chunk.subarray(start, end), place), base + start);
    }
    at = end;
  }
  return at;
}

/** Reads an entry with only the five old fields; false for any other, and for a damaged one. */
function readPlainEntry(pagemap: Pagemap, reader: WireReader, offset: number): boolean {
  let low = -1;
  let high = 0;
  let compat = -1;
  let inParent = false;
  let flags = -1;
  let pages = -1;
  try {
    while (reader.pos < reader.end) {
      switch (reader.uint32()) {
        case 0x08:
          reader.varint();
          low = reader.low;
          high = reader.high;
          break;
        case 0x10:
          compat = reader.uint32();
          break;
        case 0x18:
          inParent = reader.bool();
          break;
        case 0x20:
          flags = reader.uint32();
          break;
        case 0x28:
          reader.varint();
          pages = reader.high * 2 ** 32 + reader.low;
          break;
        default:
          return false;
      }
    }
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
  if (low < 0 || compat < 0) return false;
  const known = flags < 0 ? undefined : flags;
  pagemap.push(low, high, pages < 0 ? compat : pages, effectiveFlags(known, inParent), offset);
  return true;
}

/** Adds an entry decoded as a message. `offset` is that of the message. */
export function addEntry(pagemap: Pagemap, entry: PagemapEntry, offset: number): void {
  const { vaddr, blocks } = entry;
  const flags = effectiveFlags(entry.flags, entry.in_parent === true);
  const pages = Number(entry.nr_pages ?? entry.compat_nr_pages);
  if (blocks !== undefined)
    pagemap.blocks.set(pagemap.length, {
      sizes: Uint32Array.from(blocks.block_sizes),
      pagesPerBlock: blocks.pages_per_block,
      padded: blocks.payload_padded === true,
      total: blocks.total_payload_size,
    });
  else if (
    entry.compressed_size.length > 0 ||
    entry.region_pages !== undefined ||
    entry.total_compressed_size !== undefined
  )
    pagemap.blocks.set(pagemap.length, {
      sizes: Uint32Array.from(entry.compressed_size),
      pagesPerBlock: entry.region_pages || 1,
      padded: false,
      total: entry.total_compressed_size,
    });
  pagemap.push(Number(vaddr & 0xffffffffn), Number(vaddr >> 32n), pages, flags, offset);
}

/** Adds the entries that are whole. */
function addRecords(pagemap: Pagemap, image: CriuImage): Pagemap {
  for (const { index, value, offset } of image.readRecords())
    if (index > 0) addEntry(pagemap, value as PagemapEntry, offset);
  return pagemap;
}

/** Without `flags` the pages are in the pages file, unless `in_parent` is set. */
function effectiveFlags(flags: number | undefined, inParent: boolean): number {
  if (inParent) return ((flags ?? 0) | PE.PARENT) >>> 0;
  return flags ?? PE.PRESENT;
}

/** Lets the record reader report the framing error. */
function throwFramingError(image: CriuImage): never {
  for (const record of image.readRecords()) if (record.end > image.source.size) break;
  throw new FormatError("TRUNCATED", "truncated: incomplete last record", { file: image.source.name });
}
