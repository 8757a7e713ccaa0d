import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { VmaEntry } from "../../../formats/criu/tables/mm.js";
import type { SetContext } from "../context.js";
import type { Place, Rule } from "../finding.js";
import { pageSize } from "../page-size.js";
import { tasksOf } from "../tasks.js";

/** VMA_AREA_GUARD: stands behind all others and inside their ranges. */
const AREA_GUARD = 0x1_0000;
const AREA_AIORING = 0x2000;
/** End of the address space of a program: 2^56 with five-level page tables, above it is the kernel's. */
const USER_END = 1n << 56n;
const AGAIN = "Undo the edit that did it, or copy the mm image again from where the set was made.";

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

/** Rules about address spaces. */
export const mappingRules: readonly Rule<SetContext>[] = [
  {
    id: "VMA_RANGE",
    level: "error",
    about: "A mapping ends behind its start, on page boundaries, inside the address space of a program.",
    mend: AGAIN,
    *check(context) {
      const size = BigInt(context.share(pageSize));
      for (const { vma, at } of allVmas(context)) {
        const { start, end } = vma;
        // The vsyscall page of x86-64 lies in the kernel's half.
        const isHigh = end > USER_END && (vma.status & 0x4) === 0;
        if (start >= end || start % size !== 0n || end % size !== 0n || isHigh)
          yield { at, what: "no range of pages", found: range(start, end) };
      }
    },
  },
  {
    id: "VMA_OVERLAP",
    level: "error",
    about: "Mappings ascend and do not overlap; guard areas stand behind all others and lie inside them.",
    mend: AGAIN,
    *check(context) {
      for (const { pid } of context.share(tasksOf)) {
        let end = 0n;
        for (const { vma, at } of storedVmas(context, pid)) {
          if ((vma.status & AREA_GUARD) !== 0) continue;
          if (vma.start < end)
            yield {
              at,
              what: "the mapping overlaps another, or stands out of order",
              expected: `a start at 0x${end.toString(16)} or above`,
              found: range(vma.start, vma.end),
            };
          if (vma.end > end) end = vma.end;
        }
      }
    },
  },
  {
    id: "VMA_GUARD",
    level: "error",
    about: "A guard area lies inside a mapping.",
    mend: AGAIN,
    *check(context) {
      for (const { pid } of context.share(tasksOf)) {
        const guards: StoredVma[] = [];
        const others: VmaEntry[] = [];
        for (const stored of storedVmas(context, pid))
          if ((stored.vma.status & AREA_GUARD) !== 0) guards.push(stored);
          else others.push(stored.vma);
        if (guards.length === 0) continue;
        const sorted = guards.sort((a, b) => (a.vma.start < b.vma.start ? -1 : 1));
        let i = 0;
        for (const { vma, at } of sorted) {
          while (i < others.length && (others[i] as VmaEntry).end <= vma.start) i++;
          const around = others[i];
          if (around === undefined || vma.start < around.start || vma.end > around.end)
            yield { at, what: "the guard area lies in no mapping", found: range(vma.start, vma.end) };
        }
      }
    },
  },
  {
    id: "MM_RANGES",
    level: "error",
    about:
      "Code, data, heap, arguments and environment start before they end, inside the address space of a program: the kernel refuses others.",
    mend: AGAIN,
    *check(context) {
      for (const { pid, mm } of context.share(tasksOf)) {
        if (mm === undefined) continue;
        const areas: readonly (readonly [field: string, start: bigint, end: bigint])[] = [
          ["mm_start_code", mm.mm_start_code, mm.mm_end_code],
          ["mm_start_data", mm.mm_start_data, mm.mm_end_data],
          ["mm_start_brk", mm.mm_start_brk, mm.mm_brk],
          ["mm_arg_start", mm.mm_arg_start, mm.mm_arg_end],
          ["mm_env_start", mm.mm_env_start, mm.mm_env_end],
          ["mm_start_stack", mm.mm_start_stack, mm.mm_start_stack],
        ];
        for (const [field, start, end] of areas)
          if (start > end || end > USER_END)
            yield {
              at: { image: fileNameOf(IMAGES.MM, pid), record: 0, field, pid },
              what: "no area of a program's memory",
              found: range(start, end),
            };
      }
    },
  },
  {
    id: "MM_AUXV",
    level: "warning",
    about: "The auxiliary vector is pairs of words.",
    mend: AGAIN,
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
    id: "AIO_RING",
    level: "error",
    about: "Each ring of asynchronous I/O has its mapping.",
    mend: AGAIN,
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

function* allVmas(context: SetContext): Generator<StoredVma> {
  for (const { pid } of context.share(tasksOf)) yield* storedVmas(context, pid);
}

/** An address range as /proc/PID/maps shows it. */
export function range(start: bigint, end: bigint): string {
  return `${start.toString(16)}-${end.toString(16)}`;
}
