import type { Segment } from "../../formats/elf/core-file.js";
import { PF_R, PF_W, PF_X } from "../../formats/elf/tables.js";
import { VM_EXEC, VM_READ, VM_WRITE } from "../../linux/mman.js";
import type { Mapping } from "../../model/mapping.js";
import type { Memory, MemoryRun } from "../../model/memory.js";
import { hasBytes } from "../../model/memory-pieces.js";

/** Memory that was never touched takes no place in a file, but a reader of all of it should come to an end. */
const MAX_ZERO_BYTES = 256n * 1024n * 1024n;

/** Pages that should be there and are not. */
export interface MissingPages {
  lazy: number;
  missing: number;
}

/**
 * The mappings, each cut where its bytes begin or end: contents of mapped files are not in an image, and zeros in their
 * place would be false. Memory that was never touched has bytes, unless nobody may access it or it is a large reserve.
 */
export function* segmentsOf(
  mappings: readonly Mapping[],
  memory: Memory,
  missing: MissingPages,
): Generator<Segment> {
  for (const mapping of mappings) {
    if (mapping.kind === "guard") continue;
    const flags = flagsOf(mapping);
    let { start: address } = mapping;
    let size = 0n;
    let has = false;
    for (const part of partsOf(mapping, flags, memory, missing)) {
      if (part.has !== has && size > 0n) {
        yield { address, size, flags, hasBytes: has };
        address += size;
        size = 0n;
      }
      has = part.has;
      size += part.size;
    }
    if (size > 0n) yield { address, size, flags, hasBytes: has };
  }
}

/** The whole mapping in order. */
function* partsOf(
  { start, end }: Mapping,
  flags: number,
  memory: Memory,
  missing: MissingPages,
): Generator<{ readonly size: bigint; readonly has: boolean }> {
  let at = start;
  for (const run of memory.runs(start, end)) {
    if (run.where === "lazy") missing.lazy += run.pages;
    if (run.where === "parent-missing") missing.missing += run.pages;
    const from = run.address > start ? run.address : start;
    const behind = run.address + BigInt(run.pages * memory.pageSize);
    const to = behind < end ? behind : end;
    if (from > at) yield { size: from - at, has: false };
    if (to > from) yield { size: to - from, has: hasBytes(run) || isZeros(run, to - from, flags) };
    at = to;
  }
  if (end > at) yield { size: end - at, has: false };
}

function isZeros({ where }: MemoryRun, size: bigint, flags: number): boolean {
  return where === "zero" && flags !== 0 && size <= MAX_ZERO_BYTES;
}

function flagsOf({ flags }: Mapping): number {
  const bit = (vm: bigint, pf: number): number => ((flags & vm) === 0n ? 0 : pf);
  return bit(VM_READ, PF_R) | bit(VM_WRITE, PF_W) | bit(VM_EXEC, PF_X);
}
