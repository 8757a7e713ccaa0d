import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { PAGEMAP_FLAGS } from "../names.js";

export const PAGEMAP_BLOCKS = message(
  "pagemap_blocks",
  "LZ4 blocks of the pages of one pagemap entry in the pages file.",
  {
    block_sizes: repeated(1, "uint32", {
      packed: "always",
      doc: "bytes of each block in the pages file: 0 for a block of zeros, the full size of a block if stored plain, else an LZ4 block",
    }),
    total_payload_size: required(2, "uint64", { doc: "bytes of the whole entry in the pages file" }),
    pages_per_block: required(3, "uint32", {
      doc: "pages in one block; the last block of an entry may have fewer",
    }),
    payload_padded: optional(4, "bool", {
      default: false,
      doc: "non-empty blocks are padded to the next page boundary",
    }),
  },
);
export type PagemapBlocks = Value<typeof PAGEMAP_BLOCKS>;

export const PAGEMAP_ENTRY = message(
  "pagemap_entry",
  "A run of adjacent pages, and the location of their contents.",
  {
    vaddr: required(1, "uint64", {
      show: { as: "hex" },
      doc: "address of the first page; in the pagemap of a shared segment its offset in the segment",
    }),
    compat_nr_pages: required(2, "uint32", {
      deprecated: true,
      doc: "number of pages, if nr_pages is absent; criu 4.2 and later write 0 here",
    }),
    in_parent: optional(3, "bool", {
      deprecated: true,
      doc: "the pages are in the parent set, now PE_PARENT",
    }),
    flags: optional(4, "uint32", {
      show: { as: "flags", table: PAGEMAP_FLAGS },
      since: "3.5",
      doc: "location of the contents; the pages file without flags and in_parent",
    }),
    nr_pages: optional(5, "uint64", { since: "4.2", doc: "number of pages" }),
    compressed_size: repeated(6, "uint32", {
      packed: "never",
      since: "criu-dev",
      doc: "first form of compressed sets: as pagemap_blocks.block_sizes",
    }),
    blocks: optional(6, PAGEMAP_BLOCKS, {
      since: "criu-dev",
      doc: "present if pages of this entry are compressed; same field number as compressed_size, but another wire type",
    }),
    total_compressed_size: optional(7, "uint64", {
      since: "criu-dev",
      doc: "first form of compressed sets: sum of compressed_size",
    }),
    region_pages: optional(8, "uint32", {
      since: "criu-dev",
      doc: "first form of compressed sets: pages in one block; 0 or absent is one",
    }),
  },
);
export type PagemapEntry = Value<typeof PAGEMAP_ENTRY>;

export const PAGEMAP_HEAD = message("pagemap_head", "The pages file of a pagemap.", {
  pages_id: required(1, "uint32", { doc: "number in the name of the pages file, pages-<pages_id>.img" }),
});
export type PagemapHead = Value<typeof PAGEMAP_HEAD>;
