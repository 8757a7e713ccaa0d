import type { Memory, MemoryRun } from "./memory.js";
import type { AddressRange } from "./origin.js";

const CHUNK_BYTES = 1024 * 1024;

/** Memory that an image does not have. */
export interface MissingMemory extends AddressRange {
  readonly why: string;
}

/** Bytes of memory, a number of zeros, or memory that is not there. */
export type ContentsPiece = Buffer | { readonly zeros: number } | { readonly missing: MissingMemory };

/**
 * What memory holds from `start` to `end`, in order, a MiB at a time. Nothing is read before it is asked for. With
 * `reused`, of at most a MiB, bytes are read into it and valid until the next piece. Errors: FormatError for damage.
 */
export function* memoryPieces(
  memory: Memory,
  { start, end }: AddressRange,
  reused?: Buffer,
): Generator<ContentsPiece> {
  const unit = BigInt(memory.pageSize);
  /** End of what was given out, and of the bytes behind it that are stored in one go with it. */
  let at = start;
  let stored = start;
  for (const run of memory.runs(start, end)) {
    const from = run.address > start ? run.address : start;
    const behind = run.address + BigInt(run.pages) * unit;
    const to = behind < end ? behind : end;
    const isStored = hasBytes(run);
    if (!isStored || from > stored) {
      yield* read(memory, at, stored, reused);
      if (from > stored) yield { missing: { start: stored, end: from, why: "is not mapped" } };
      at = from;
      stored = from;
    }
    if (isStored) stored = to;
    else {
      if (run.where === "zero") yield { zeros: Number(to - from) };
      else yield { missing: { start: from, end: to, why: whyMissing(run) } };
      at = to;
      stored = to;
    }
    if (stored - at >= BigInt(CHUNK_BYTES)) {
      yield* read(memory, at, stored, reused);
      at = stored;
    }
  }
  yield* read(memory, at, stored, reused);
  if (stored < end) yield { missing: { start: stored, end, why: "is not mapped" } };
}

/** Whether the image or a parent stores the bytes of a run. */
export function hasBytes({ where }: MemoryRun): boolean {
  return where === "file" || where === "compressed";
}

function* read(memory: Memory, start: bigint, end: bigint, reused: Buffer | undefined): Generator<Buffer> {
  const atOnce = reused?.length ?? CHUNK_BYTES;
  for (let at = start; at < end; at += BigInt(atOnce)) {
    const size = Number(end - at < atOnce ? end - at : BigInt(atOnce));
    const into = reused?.subarray(0, size) ?? Buffer.allocUnsafeSlow(size);
    memory.readOver(into, at);
    yield into;
  }
}

function whyMissing(run: MemoryRun): string {
  if (run.where === "lazy") return "was left in the dumped task for lazy migration";
  if (run.where === "parent-missing") return `is missing in parent set ${run.level} of the chain`;
  return run.where === "absent" ? `is not in the image (${run.why})` : "is not in the image";
}
