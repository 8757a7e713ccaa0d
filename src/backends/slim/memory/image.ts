import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { SavedPages } from "../../../model/linux-cr/saved-pages.js";

/** VMA.vma_type and VMA_EXTRA.kind. */
export const VMA_TYPE = {
  ignore: 0,
  vdso: 1,
  anonymous: 2,
  file: 3,
  shared: 4,
  sharedAgain: 5,
  sharedFile: 6,
};
export const VMA_KIND = { ordinary: 0, vdso: 1, vvar: 2, vsyscall: 3 };
/** VMA_EXTRA.flags. */
export const DROPPABLE = 4;

/** Pages [start, end) whose contents stand in the image from `offset` on. */
export interface SavedRange {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

export interface ImageVma {
  readonly start: number;
  readonly end: number;
  readonly kind:
    | "anonymous"
    | "private file"
    | "shared file"
    | "shared anonymous"
    | "vdso"
    | "vvar"
    | "unknown";
  readonly flags: bigint;
  /** VMA_EXTRA.madv. */
  readonly advice: bigint;
  /** In the file or the shared object, in bytes. */
  readonly offset: number;
  /** FILE that is mapped, 0 for none. */
  readonly file: number;
  /** Number of the shared object, 0 for none. */
  readonly object: number;
  readonly objectSize: number;
  readonly pages: readonly SavedRange[];
  /** The System V segment that it is, whose contents are those of `object`. */
  readonly segment: RecordValue<typeof RECORDS.SYSV_SEGMENT> | undefined;
  /** MAP_DROPPABLE of mmap(2). */
  readonly isDroppable: boolean;
}

export interface ImageMemory {
  readonly mm: RecordValue<typeof RECORDS.MM>;
  readonly auxv: Buffer;
  readonly vmas: readonly ImageVma[];
}

/** An address space of the image. Errors: FormatError for a damaged image. */
export function imageMemory(reader: StreamReader, objref: number): ImageMemory {
  const part = reader.object(objref, "MM");
  if (part === undefined) throw reader.image.error(0, `there is no address space ${objref}`);
  const { value: mm, index } = reader.get(part, RECORDS.MM);
  return {
    mm,
    auxv: reader.image.bytes(index + 1),
    vmas: part.parts.map((vma) => vmaOf(reader, vma)).filter((vma) => vma !== undefined),
  };
}

function vmaOf(reader: StreamReader, part: Part): ImageVma | undefined {
  const { value: vma } = reader.get(part, RECORDS.VMA);
  const extra = reader.find(part, RECORDS.VMA_EXTRA)?.value;
  if (extra?.kind === VMA_KIND.vsyscall) return undefined;
  const start = Number(vma.vm_start);
  const end = Number(vma.vm_end);
  const isIndexed = vma.vma_type === VMA_TYPE.shared;
  return {
    start,
    end,
    kind: kindOf(vma.vma_type, extra?.kind),
    flags: vma.vm_flags,
    advice: extra?.madv ?? 0n,
    offset: Number(vma.vm_pgoff) * PAGE_SIZE,
    file: vma.vma_objref,
    object: vma.ino_objref,
    objectSize: Number(vma.ino_size),
    segment: reader.find(part, RECORDS.SYSV_SEGMENT)?.value,
    isDroppable: ((extra?.flags ?? 0) & DROPPABLE) !== 0,
    pages: isIndexed
      ? savedRanges(reader, part, "indexes", 0, Math.ceil(Number(vma.ino_size) / PAGE_SIZE))
      : savedRanges(reader, part, "addresses", start / PAGE_SIZE, end / PAGE_SIZE),
  };
}

/** Saved pages as byte ranges: addresses, or offsets in the shared object. */
export function savedRanges(
  reader: StreamReader,
  part: Part,
  keys: "addresses" | "indexes",
  from: number,
  to: number,
): SavedRange[] {
  if (part.pageArrays.length === 0) return [];
  const ranges: SavedRange[] = [];
  for (const { page, pages, offset } of new SavedPages(reader, part, keys).runs(from, to, PAGE_SIZE))
    if (offset !== undefined)
      ranges.push({ start: page * PAGE_SIZE, end: (page + pages) * PAGE_SIZE, offset });
  return ranges;
}

function kindOf(type: number, extra: number | undefined): ImageVma["kind"] {
  switch (type) {
    case VMA_TYPE.vdso:
      return "vdso";
    case VMA_TYPE.anonymous:
      return "anonymous";
    case VMA_TYPE.file:
      return "private file";
    case VMA_TYPE.sharedFile:
      return "shared file";
    case VMA_TYPE.shared:
    case VMA_TYPE.sharedAgain:
      return "shared anonymous";
    default:
      return extra === VMA_KIND.vvar ? "vvar" : "unknown";
  }
}
