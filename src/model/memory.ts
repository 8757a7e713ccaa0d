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
  /** All mapped memory, or that of [from, to) cut to whole pages, ascending. Errors: FormatError. */
  runs(from?: bigint, to?: bigint): Iterable<MemoryRun>;
  /** Pages of [from, to) that are stored, without a look at parents. Errors: FormatError. */
  count(from: bigint, to: bigint): PageCounts;
}
