import type { AddressRange } from "./origin.js";

/** Pages by where they are: in the image itself, in a parent set, left in the dumped task for a lazy migration. */
export interface PageCounts {
  readonly stored: number;
  readonly inParent: number;
  readonly lazy: number;
}

/**
 * Where the contents of memory are. `file`: at `offset` of a file. `compressed`: in the LZ4 block at `offset`. `level`
 * counts parent sets, 0 is the image itself. `zero`: never touched, or all zeros. `lazy`: left in the dumped task.
 * `parent-missing`: a parent set should have them and has not. `absent`: what the memory shows instead.
 */
export type MemoryLocation =
  | {
      readonly where: "file" | "compressed";
      readonly file: string;
      readonly offset: number;
      readonly level: number;
    }
  | { readonly where: "zero" | "lazy" }
  | { readonly where: "parent-missing"; readonly level: number }
  | { readonly where: "absent"; readonly why: string };

/** Neighbouring pages with one location, which is that of their first byte. */
export type MemoryRun = MemoryLocation & { readonly address: bigint; readonly pages: number };

/** Addresses that show a segment of shared memory from `offset` on. */
export interface SegmentArea extends AddressRange {
  readonly segment: number;
  readonly offset: bigint;
}

/** The memory of one task by address. Contents are read when they are asked for. */
export interface Memory {
  /** In bytes. */
  readonly pageSize: number;
  /** Directory in which the files of runs are. */
  readonly directory: string;
  /**
   * `length` bytes from `address`; memory that was never touched is zero. Errors: FormatError MISSING when the image
   * does not have them, UnsupportedError for those of a piped image, which are not kept; UsageError above 256 MiB.
   */
  read(address: bigint, length: number): Buffer;
  /** As `read`, into memory that is there already. */
  readOver(into: Buffer, address: bigint): void;
  /** All mapped memory, or that of [from, to) cut to whole pages, ascending. Errors: FormatError. */
  runs(from?: bigint, to?: bigint): Iterable<MemoryRun>;
  /** Where it shows segments of shared memory; in private mappings, where the task has no page of its own. */
  readonly segments: readonly SegmentArea[];
  /** Pages of [from, to) that are stored, without a look at parents. Errors: FormatError. */
  count(from: bigint, to: bigint): PageCounts;
}

/**
 * Memory that an image stores once, however many tasks show it: the private pages of an address space, or a segment that
 * mappings share.
 */
export interface StoredMemory {
  /** The task, of several with one address space the first; undefined for a segment, or when no task has it. */
  readonly pid: number | undefined;
  /** Number of the segment; undefined for private pages. */
  readonly segment: number | undefined;
  /** Reads where the pages are. Errors: FormatError. */
  pages(): StoredPages;
}

/** Addresses are those of the task, or offsets in the segment. */
export interface StoredPages {
  readonly pageSize: number;
  /** File with them, of the image itself. */
  readonly image: string;
  /** What is stored here or in a parent, or should be, ascending; pages that were never touched are left out. */
  runs(): Iterable<MemoryRun>;
  /** The same with contents, a few pages at a time, each valid until the next one. Errors: FormatError. */
  pieces(): Iterable<MemoryPiece>;
  /** Location of the byte at an address. */
  locate(address: bigint): MemoryLocation;
}

/** Neighbouring pages; without `bytes` those that neither the image nor a parent has. */
export interface MemoryPiece {
  readonly address: bigint;
  readonly pages: number;
  readonly where: MemoryLocation["where"];
  readonly bytes: Buffer | undefined;
}
