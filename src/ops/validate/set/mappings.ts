import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { VmaEntry } from "../../../formats/criu/tables/mm.js";
import { MAP_DROPPABLE, MAP_PRIVATE, MAP_SHARED, MAP_TYPE } from "../../../linux/mman.js";
import type { SetContext } from "../context.js";
import type { Place, Rule } from "../finding.js";
import { tasksOf } from "../tasks.js";

const AREA_REGULAR = 1;
const AREA_AIORING = 0x2000;
const MAP_TYPES: ReadonlySet<number> = new Set([MAP_SHARED, MAP_PRIVATE, MAP_DROPPABLE]);

/** A mapping of a task with its place. */
export interface StoredVma {
  readonly vma: VmaEntry;
  readonly at: Place;
}

/** Mappings of a task in stored order; sets before criu 1.2 have them in an image of their own. */
export function* storedVmas({ set }: SetContext, pid: number): Generator<StoredVma> {
  const image = fileNameOf(IMAGES.MM, pid);
  const stored = set.first(IMAGES.MM, pid)?.vmas ?? [];
  for (let i = 0; i < stored.length; i++)
    yield { vma: stored[i] as VmaEntry, at: { image, record: 0, field: `vmas[${i}]`, pid } };
  if (stored.length > 0) return;
  const old = fileNameOf(IMAGES.VMAS, pid);
  for (const { value, index } of set.image(IMAGES.VMAS, pid)?.heldRecords() ?? [])
    yield { vma: value, at: { image: old, record: index, pid } };
}

/** Rules about what only a set stores of address spaces. */
export const memoryRules: readonly Rule<SetContext>[] = [
  {
    id: "MM_AUXV",
    level: "warning",
    about: "The auxiliary vector is pairs of words.",
    fix: "crimg edit --set gives the vector whole pairs, the last one 0 and 0.",
    *check(context) {
      for (const { pid, mm } of context.share(tasksOf)) {
        const words = mm?.mm_saved_auxv.length ?? 0;
        if (words % 2 !== 0)
          yield {
            at: { image: fileNameOf(IMAGES.MM, pid), record: 0, field: "mm_saved_auxv", pid },
            what: "an odd number of words",
            found: String(words),
          };
      }
    },
  },
  {
    id: "VMA_MAP_TYPE",
    level: "error",
    about: "A VMA is mapped shared, private or droppable: mmap(2) takes exactly one of these flags.",
    fix: "crimg edit --set gives the flags of the VMA exactly one of MAP_SHARED, MAP_PRIVATE and MAP_DROPPABLE.",
    *check(context) {
      for (const { pid } of context.share(tasksOf))
        for (const { vma, at } of storedVmas(context, pid))
          if ((vma.status & AREA_REGULAR) !== 0 && !MAP_TYPES.has(vma.flags & MAP_TYPE))
            yield {
              at,
              what: "invalid type in the flags of a VMA",
              expected: "exactly one of MAP_SHARED, MAP_PRIVATE and MAP_DROPPABLE",
              found: `0x${vma.flags.toString(16)}`,
            };
    },
  },
  {
    id: "AIO_RING",
    level: "error",
    about: "Each ring of asynchronous I/O has its mapping.",
    fix: "crimg edit --set gives the ring the start of its mapping, or takes the entry away.",
    *check(context) {
      for (const { pid, mm } of context.share(tasksOf)) {
        const rings = new Set(
          (mm?.vmas ?? []).filter(({ status }) => (status & AREA_AIORING) !== 0).map(({ start }) => start),
        );
        for (const [i, { id }] of (mm?.aios ?? []).entries())
          if (!rings.has(id))
            yield {
              at: { image: fileNameOf(IMAGES.MM, pid), record: 0, field: `aios[${i}]`, pid },
              what: "no mapping of a ring starts there",
              found: `0x${id.toString(16)}`,
            };
      }
    },
  },
];

/** An address range as /proc/PID/maps shows it. */
export function range(start: bigint, end: bigint): string {
  return `${start.toString(16)}-${end.toString(16)}`;
}
