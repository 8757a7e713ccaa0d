import path from "node:path";
import { CriuImageSet } from "../../src/formats/criu/image-set.js";
import { IMAGES } from "../../src/formats/criu/images.js";
import type { VmaEntry } from "../../src/formats/criu/tables/mm.js";
import type { PagemapEntry } from "../../src/formats/criu/tables/pagemap.js";
import type { FileSet } from "../../src/io/file-set.js";
import { memoryFiles, SetBuilder } from "./build-set.js";

export const PAGE = 4096;
export const PID = 10;
/** Where the one mapping of these sets starts. */
export const BASE = 0x10000000n;

/** A run of an image, addressed by pages behind `BASE`. */
export type RunSpec = Partial<PagemapEntry> & { readonly at: number; readonly pages: number | bigint };

/** Entries as criu 4.2 writes them, in the pages file unless `flags` says otherwise. */
export function entries(runs: readonly RunSpec[]): PagemapEntry[] {
  return runs.map(({ at, pages, ...rest }) => ({
    vaddr: BASE + BigInt(at) * BigInt(PAGE),
    compat_nr_pages: 0,
    nr_pages: BigInt(pages),
    flags: 4,
    compressed_size: [],
    ...rest,
  }));
}

/** One page filled with `byte`. */
export const filled = (byte: number): Buffer => Buffer.alloc(PAGE, byte);

/** Images of one task with one anonymous mapping of `size` pages: what there is to a set of memory alone. */
export class MemorySetBuilder extends SetBuilder {
  constructor(runs: readonly RunSpec[], pages: Buffer, size = 64) {
    super();
    this.image(IMAGES.PAGEMAP, PID, [{ pages_id: 1 }, ...entries(runs)]);
    this.files.set("pages-1.img", pages);
    this.mapping({ size });
  }

  mapping(options: { readonly size?: number; readonly vma?: Partial<VmaEntry> }): this {
    const vma: VmaEntry = {
      start: BASE,
      end: BASE + BigInt((options.size ?? 64) * PAGE),
      pgoff: 0n,
      shmid: 0n,
      prot: 3,
      flags: 0x22,
      status: 0x201,
      fd: -1n,
      ...options.vma,
    };
    const none = 0n;
    return this.image(IMAGES.MM, PID, [
      {
        ...{ mm_start_code: none, mm_end_code: none, mm_start_data: none, mm_end_data: none },
        ...{ mm_start_stack: none, mm_start_brk: none, mm_brk: none, mm_arg_start: none, mm_arg_end: none },
        ...{ mm_env_start: none, mm_env_end: none, exe_file_id: 1, mm_saved_auxv: [], aios: [], vmas: [vma] },
      },
    ]);
  }

  inventory(version: number, compress?: number): this {
    const value = { img_version: version, fdinfo_per_id: true };
    return this.image(IMAGES.INVENTORY, undefined, [compress === undefined ? value : { ...value, compress }]);
  }
}

/** Sets as an incremental chain: the first is the opened one, each next its parent. */
export function chain(...sets: readonly SetBuilder[]): CriuImageSet {
  const parents = (index: number, name: string): FileSet | undefined => {
    const builder = sets[index];
    if (builder === undefined) return undefined;
    return {
      ...memoryFiles(builder.files, name),
      parent: () => parents(index + 1, path.join(name, "parent")),
    };
  };
  return new CriuImageSet(parents(0, "memory") as FileSet);
}
