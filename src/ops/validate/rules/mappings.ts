import type { Task } from "../../../model/checkpoint.js";
import type { Mapping } from "../../../model/mapping.js";
import type { AddressRange } from "../../../model/origin.js";
import type { ImageContext } from "../context.js";
import type { Found, Rule, RuleFacts } from "../finding.js";

/** End of the address space of a program: 2^56 with five-level page tables, above it is the kernel's. */
const USER_END = 1n << 56n;
const UNDO = "Undo the edit that did it with crimg undo, or set other addresses with crimg edit --set.";

/** Rules about address spaces. */
export const mappingRules: readonly Rule<ImageContext>[] = [
  mappingRule(
    {
      id: "VMA_RANGE",
      level: "error",
      about: "A VMA ends behind its start, on page boundaries, inside the address space of a program.",
      fix: UNDO,
    },
    function* (mappings, context) {
      const size = BigInt(context.checkpoint.pageSize);
      for (const mapping of mappings) {
        const { start, end, kind } = mapping;
        // The vsyscall page of x86-64 lies in the kernel's half.
        const isHigh = end > USER_END && kind !== "vsyscall";
        if (start >= end || start % size !== 0n || end % size !== 0n || isHigh)
          yield { mapping, what: "invalid range of a VMA", found: rangeText(mapping) };
      }
    },
  ),
  mappingRule(
    {
      id: "VMA_OVERLAP",
      level: "error",
      about: "VMAs ascend and do not overlap; guard areas stand behind all others and lie inside them.",
      fix: UNDO,
    },
    function* (mappings) {
      let end = 0n;
      for (const mapping of mappings) {
        if (mapping.kind === "guard") continue;
        if (mapping.start < end)
          yield {
            mapping,
            what: "the VMA overlaps another, or stands out of order",
            expected: `a start at 0x${end.toString(16)} or above`,
            found: rangeText(mapping),
          };
        if (mapping.end > end) end = mapping.end;
      }
    },
  ),
  mappingRule(
    {
      id: "VMA_GUARD",
      level: "error",
      about: "A guard area lies inside a VMA, or inside several that follow one another without a gap.",
      fix: UNDO,
    },
    function* (mappings) {
      const guards = mappings.filter(({ kind }) => kind === "guard");
      if (guards.length === 0) return;
      const spans = spansOf(mappings.filter(({ kind }) => kind !== "guard"));
      let i = 0;
      for (const mapping of guards.sort((a, b) => (a.start < b.start ? -1 : 1))) {
        while (i < spans.length && (spans[i] as AddressRange).end <= mapping.start) i++;
        const around = spans[i];
        if (around === undefined || mapping.start < around.start || mapping.end > around.end)
          yield { mapping, what: "the guard area lies in no VMA", found: rangeText(mapping) };
      }
    },
  ),
  mappingRule(
    {
      id: "VMA_SHARED",
      level: "error",
      about: "A VMA is shared or private as its kind says: it would be mapped as its flags say.",
      fix: UNDO,
    },
    function* (mappings) {
      for (const mapping of mappings)
        if (mapping.isSharedKind !== undefined && mapping.isSharedKind !== mapping.shared)
          yield {
            mapping,
            what: mapping.isSharedKind
              ? "shared memory with the flags of a private VMA"
              : "private memory with the flags of a shared VMA",
            found: `${rangeText(mapping)} ${mapping.permissions}`,
          };
    },
  ),
  mappingRule(
    {
      id: "VMA_DROPPABLE",
      level: "error",
      about: "Droppable memory is private and anonymous: mmap(2) refuses MAP_DROPPABLE for all else.",
      fix: UNDO,
    },
    function* (mappings) {
      for (const mapping of mappings)
        if (mapping.isDroppable && (mapping.kind !== "anonymous" || mapping.shared))
          yield {
            mapping,
            what: "a droppable VMA that is not private anonymous memory",
            found: `${rangeText(mapping)} ${mapping.permissions}, ${mapping.kind}`,
          };
    },
  ),
  mappingRule(
    { id: "VMA_VDSO_ONCE", level: "error", about: "An address space has one vDSO.", fix: UNDO },
    function* (mappings) {
      for (const mapping of mappings.filter(({ kind }) => kind === "vdso").slice(1))
        yield { mapping, what: "a second vDSO", expected: "one", found: rangeText(mapping) };
    },
  ),
  {
    id: "MM_RANGES",
    level: "error",
    about:
      "Code, data, heap, arguments and environment start before they end, inside the address space of a program: the kernel refuses others.",
    fix: UNDO,
    *check(context) {
      for (const { pid, mm } of addressSpaces(context)) {
        if (mm === undefined) continue;
        const { code, data, heap, argv, environ, startStack, origin } = mm;
        const stack = { start: startStack, end: startStack };
        for (const [name, range] of Object.entries({ code, data, heap, argv, environ, stack }))
          if (range.start > range.end || range.end > USER_END)
            yield {
              at: context.placeOf(origin, { pid }),
              what: `invalid range of ${name}`,
              found: rangeText(range),
            };
      }
    },
  },
];

/** A rule that looks at the VMAs of each address space; the place is added. */
function mappingRule(
  facts: RuleFacts,
  check: (
    mappings: readonly Mapping[],
    context: ImageContext,
  ) => Iterable<Omit<Found, "at"> & { readonly mapping: Mapping }>,
): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      for (const { pid, mappings } of addressSpaces(context))
        for (const { mapping, ...found } of check(mappings, context))
          yield { at: context.placeOf(mapping.origin, { pid }), ...found };
    },
  };
}

/** A task of each address space: those made with CLONE_VM share one. */
function* addressSpaces({ checkpoint }: ImageContext): Generator<Task> {
  const seen = new Set<string>();
  for (const task of checkpoint.tasks) {
    const { image, record } = task.mm?.origin ?? task.origin;
    const key = `${image} ${record}`;
    if (!seen.has(key)) yield task;
    seen.add(key);
  }
}

/** The ranges that mappings fill without a gap. */
function spansOf(mappings: readonly Mapping[]): AddressRange[] {
  const spans: { start: bigint; end: bigint }[] = [];
  for (const { start, end } of mappings) {
    const last = spans.at(-1);
    if (last === undefined || last.end !== start) spans.push({ start, end });
    else last.end = end;
  }
  return spans;
}

/** As /proc/PID/maps shows it. */
function rangeText({ start, end }: AddressRange): string {
  return `${start.toString(16)}-${end.toString(16)}`;
}
