import path from "node:path";
import { FormatError } from "../../io/errors.js";
import { fileNameOf } from "./detect.js";
import type { CriuImageSet } from "./image-set.js";
import { IMAGES } from "./images.js";
import { VMA_STATUS } from "./names.js";
import type { VmaEntry } from "./tables/mm.js";

/** Why a set has no contents for an address. */
export type Absence = "not mapped" | "contents of a mapped file" | "memory of the kernel";

/** Contents of a mapping where the task has no private page. Segments have their own page numbers. */
export type Backing =
  | { readonly is: "zero" }
  | { readonly is: "absent"; readonly why: Absence }
  | { readonly is: "segment"; readonly shmid: number; readonly firstPage: number };

/** One mapping in page numbers (address / page size), [first, end). */
export interface Area {
  readonly first: number;
  readonly end: number;
  /** Its pages are first looked up in the task's pagemap. */
  readonly isPrivate: boolean;
  readonly backing: Backing;
}

/** One each for all areas, of which a task may have 60,000. */
const ZERO: Backing = { is: "zero" };
const OF_KERNEL: Backing = { is: "absent", why: "memory of the kernel" };
const OF_FILE: Backing = { is: "absent", why: "contents of a mapped file" };

const bit = (name: string): number => Number(VMA_STATUS.bits.get(name));
const GUARD = bit("VMA_AREA_GUARD");
const KERNEL = bit("VMA_AREA_VVAR") | bit("VMA_AREA_VSYSCALL") | bit("VMA_AREA_UPROBES");
const MEMFD = bit("VMA_AREA_MEMFD");
const SYSVIPC = bit("VMA_AREA_SYSVIPC");
const ANON_SHARED = bit("VMA_ANON_SHARED");
const NOT_IN_SET = bit("VMA_FILE_PRIVATE") | bit("VMA_FILE_SHARED") | bit("VMA_AREA_SOCKET");
/** As vma_area_is_private() of criu, and the two kinds that it dumps like private memory. */
const PRIVATE =
  bit("VMA_FILE_PRIVATE") | bit("VMA_ANON_PRIVATE") | bit("VMA_AREA_AIORING") | bit("VMA_AREA_SHSTK");

/**
 * The mappings of a task, ascending, without guard areas, which are inside others.
 * Errors: FormatError for mappings that overlap, are empty, or are not whole pages.
 */
export function memoryAreas(set: CriuImageSet, pid: number, pageSize: number): Area[] {
  // Not kept: the tasks of the model hold what they need of it.
  const inMm = set.firstIfAny(IMAGES.MM, pid)?.vmas ?? [];
  const vmas = inMm.length > 0 ? inMm : set.records(IMAGES.VMAS, pid).map(({ value }) => value);
  const unit = BigInt(pageSize);
  const areas = vmas
    .filter((vma) => (vma.status & GUARD) === 0)
    .map((vma): Area => {
      if (vma.start % unit !== 0n || vma.end % unit !== 0n || vma.end <= vma.start)
        throwBadMapping(set, pid, vma, `is not a range of whole ${pageSize}-byte pages`);
      return {
        first: Number(vma.start / unit),
        end: Number(vma.end / unit),
        isPrivate: (vma.status & PRIVATE) !== 0,
        backing: backingOf(set, vma, unit),
      };
    });
  areas.sort((a, b) => a.first - b.first);
  const overlap = areas.findIndex((area, i) => i > 0 && area.first < (areas[i - 1] as Area).end);
  const vma = vmas.find(({ start }) => overlap >= 0 && Number(start / unit) === areas[overlap]?.first);
  if (vma !== undefined) throwBadMapping(set, pid, vma, "overlaps another one");
  return areas;
}

/** Index of the first area that ends after `page`: the one that contains it, or the next one. */
export function areaAt(areas: readonly Area[], page: number): number {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((areas[middle] as Area).end > page) high = middle;
    else low = middle + 1;
  }
  return low;
}

function backingOf(set: CriuImageSet, vma: VmaEntry, unit: bigint): Backing {
  const { status } = vma;
  if ((status & KERNEL) !== 0) return OF_KERNEL;
  const shmid =
    (status & MEMFD) !== 0
      ? segmentsOfMemfds(set).get(Number(vma.shmid))
      : (status & (SYSVIPC | ANON_SHARED)) !== 0
        ? Number(vma.shmid)
        : undefined;
  if (shmid !== undefined) return { is: "segment", shmid, firstPage: Number(vma.pgoff / unit) };
  return (status & (NOT_IN_SET | MEMFD)) !== 0 ? OF_FILE : ZERO;
}

const memfdSegments = new WeakMap<CriuImageSet, ReadonlyMap<number, number>>();

/** Map from the id of an open memfd to the segment with its contents. */
function segmentsOfMemfds(set: CriuImageSet): ReadonlyMap<number, number> {
  let segments = memfdSegments.get(set);
  if (segments === undefined) {
    const shmids = new Map(
      set.records(IMAGES.MEMFD_INODE).map(({ value }) => [Number(value.inode_id), value.shmid]),
    );
    segments = new Map(
      set.records(IMAGES.FILES).flatMap(({ value: { memfd } }) => {
        const shmid = memfd && shmids.get(memfd.inode_id);
        return memfd === undefined || shmid === undefined ? [] : [[memfd.id, shmid] as const];
      }),
    );
    memfdSegments.set(set, segments);
  }
  return segments;
}

function throwBadMapping(set: CriuImageSet, pid: number, vma: VmaEntry, what: string): never {
  throw new FormatError("INVALID", `mapping 0x${vma.start.toString(16)}-0x${vma.end.toString(16)} ${what}`, {
    file: path.join(set.name, fileNameOf(IMAGES.MM, pid)),
    path: "[0].vmas",
  });
}
