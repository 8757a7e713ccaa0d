import path from "node:path";
import { FormatError, UnsupportedError } from "../../io/errors.js";
import { MAX_COMPRESSED_BLOCK_BYTES } from "../../io/limits.js";
import { fileNameOf } from "./detect.js";
import type { CriuImageSet } from "./image-set.js";
import { IMAGES } from "./images.js";
import { type PageBlocks, type Pagemap, PE } from "./pagemap.js";

/** Values of img_version: plain, with head magics (criu 1.6), with compressed pages (criu-dev of 2026). */
const V1_1 = 2;
const V1_2 = 3;

/** Whether the pagemaps of the set itself may have compressed pages; parents have their own version. */
export interface PageFormat {
  readonly version: number | undefined;
  readonly compressed: boolean;
}

/**
 * Page compression by the inventory. A set without inventory (an old pre-dump) has plain pages.
 * Errors: UnsupportedError for an unknown version or compression; FormatError for a contradiction.
 */
export function pageFormat(set: CriuImageSet): PageFormat {
  const inventory = set.first(IMAGES.INVENTORY);
  if (inventory === undefined) return { version: undefined, compressed: false };
  const { img_version: version, compress = 0 } = inventory;
  const file = path.join(set.name, fileNameOf(IMAGES.INVENTORY));
  if (version < 1 || version > V1_2)
    throw new UnsupportedError(`unsupported image version ${version} (expected 1 to ${V1_2})`, {
      file,
      path: "[0].img_version",
    });
  if (compress > 2)
    throw new UnsupportedError(`unsupported page compression ${compress} (expected 0 to 2)`, {
      file,
      path: "[0].compress",
    });
  if (compress !== 0 && version <= V1_1)
    throw new FormatError(
      "INVALID",
      `invalid image version ${version} for compressed pages (expected ${V1_2})`,
      {
        file,
        path: "[0].img_version",
      },
    );
  return { version, compressed: compress !== 0 };
}

/** Errors: FormatError for compressed entries in a set without compression in its inventory. */
export function checkPlain(pagemap: Pagemap, format: PageFormat): void {
  if (format.compressed) return;
  const [index] = pagemap.blocks.keys();
  const found = index ?? pagemap.flags.findIndex((flags) => (flags & PE.PAYLOAD_ALIGNED) !== 0);
  if (found >= 0)
    throw new FormatError(
      "INVALID",
      "compressed pagemap entry in a set without compression in its inventory",
      pagemap.place(found),
    );
}

/** Bytes of the blocks of an entry in the pages file. Errors: FormatError for invalid ones. */
export function blocksSize(pagemap: Pagemap, index: number, blocks: PageBlocks, pageSize: number): number {
  const fail = (text: string): never => {
    throw new FormatError("INVALID", text, pagemap.place(index));
  };
  const { sizes, pagesPerBlock, total } = blocks;
  const pages = pagemap.pages[index] as number;
  if (pagesPerBlock < 1 || pagesPerBlock * pageSize > MAX_COMPRESSED_BLOCK_BYTES)
    fail(
      `invalid number of pages per block ${pagesPerBlock} (expected 1 to ${MAX_COMPRESSED_BLOCK_BYTES / pageSize})`,
    );
  if (sizes.length !== Math.ceil(pages / pagesPerBlock))
    fail(`${sizes.length} blocks of ${pagesPerBlock} pages for ${pages} pages`);
  let sum = 0;
  for (let block = 0; block < sizes.length; block++) {
    const size = sizes[block] as number;
    const full = Math.min(pagesPerBlock, pages - block * pagesPerBlock) * pageSize;
    if (size > full)
      fail(`invalid size of block ${block}: ${size} bytes (expected at most ${full}, the size of its pages)`);
    sum += blocks.padded ? alignUp(size, pageSize) : size;
  }
  if (total !== undefined && total !== BigInt(sum))
    fail(`invalid size of all blocks: ${sum} bytes (expected ${total}, by the entry)`);
  return sum;
}

/** Offset of each block from the start of the entry. */
export function blockOffsets(blocks: PageBlocks, pageSize: number): Float64Array {
  const offsets = new Float64Array(blocks.sizes.length);
  for (let block = 1; block < offsets.length; block++) {
    const size = blocks.sizes[block - 1] as number;
    offsets[block] = (offsets[block - 1] as number) + (blocks.padded ? alignUp(size, pageSize) : size);
  }
  return offsets;
}

export function alignUp(offset: number, pageSize: number): number {
  return Math.ceil(offset / pageSize) * pageSize;
}
