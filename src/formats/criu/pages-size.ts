import { enumName } from "../../io/enums.js";
import { fileNameOf } from "./detect.js";
import type { CriuImageSet } from "./image-set.js";
import { IMAGES } from "./images.js";
import { PE, readPagemap } from "./pagemap.js";
import { CORE_ENTRY_MARCH } from "./tables/core.js";

/** Page sizes of the kernels of an architecture, the most common first. */
const PAGE_SIZES: Readonly<Record<string, readonly [number, ...number[]]>> = {
  X86_64: [4096],
  ARM: [4096],
  AARCH64: [4096, 16384, 65536],
  PPC64: [65536, 4096],
  S390: [4096],
  MIPS: [4096, 16384, 65536],
  LOONGARCH64: [16384, 4096, 65536],
  RISCV64: [4096],
};

const known = new WeakMap<CriuImageSet, number>();

/**
 * Page size in bytes. It is not stored: it depends on the architecture and, if that has several, on which one matches the
 * sizes of the first pages file and its pagemap. Errors: FormatError for damaged images.
 */
export function pageSizeOf(set: CriuImageSet): number {
  let size = known.get(set);
  if (size === undefined) {
    const sizes = PAGE_SIZES[architectureOf(set)] ?? [4096];
    size = sizes.length === 1 ? sizes[0] : (sizeOfPagesFile(set, sizes) ?? sizes[0]);
    known.set(set, size);
  }
  return size;
}

function architectureOf(set: CriuImageSet): string {
  const pid = set.firstIfAny(IMAGES.PSTREE)?.pid ?? set.ids(IMAGES.CORE)[0];
  const type = pid === undefined ? undefined : set.first(IMAGES.CORE, pid)?.mtype;
  return enumName(CORE_ENTRY_MARCH, type ?? 0);
}

/** Size of a plain pages file divided by its number of pages; undefined if it is not one of `sizes`. */
function sizeOfPagesFile(set: CriuImageSet, sizes: readonly number[]): number | undefined {
  for (const kind of [IMAGES.PAGEMAP, IMAGES.SHMEM_PAGEMAP]) {
    for (const id of set.ids(kind)) {
      const image = set.image(kind, id);
      if (image === undefined) continue;
      const { flags, pages, pagesId, blocks } = readPagemap(image);
      const present = pages.reduce(
        (sum, count, i) => ((flags[i] as number) & PE.PRESENT ? sum + count : sum),
        0,
      );
      const file = set.fileSet.open(fileNameOf(IMAGES.PAGES, pagesId));
      if (present === 0 || blocks.size > 0 || file === undefined) continue;
      return sizes.find((size) => size * present === file.size);
    }
  }
  return undefined;
}
