import type { Piece } from "../../io/concat.js";
import { FormatError, NotFoundError, UsageError } from "../../io/errors.js";
import { hex } from "../../io/hex.js";
import { listed } from "../../io/listed.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { type Mapping, mappingAt } from "../../model/mapping.js";
import type { Memory, MemoryRun } from "../../model/memory.js";
import type { AddressRange } from "../../model/origin.js";

const CHUNK_BYTES = 1024 * 1024;

/** Bytes from an address on without a length. */
const SHOWN_BYTES = 256n;

/**
 * What to read: one mapping, by its name or by an address in it; or `length` bytes from an address, without it 256 or up to
 * the end of the mapping.
 */
export type Wanted =
  | { readonly map: string }
  | { readonly address: bigint; readonly length: number | undefined };

/** Memory of one task. */
export interface ChosenMemory extends AddressRange {
  readonly pid: number;
  readonly comm: string;
  /** Name of the mapping in which it begins. */
  readonly name: string;
  readonly memory: Memory;
}

/** Address or length as a user types it: 4096, 0x1000; undefined for anything else. */
export function parseAddress(text: string): bigint | undefined {
  return /^(?:0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text) ? BigInt(text) : undefined;
}

/**
 * Finds memory in the tasks (all, or `pids`). Errors: NotFoundError when no task has it; UsageError when several do, or
 * when several mappings have that name: it lists them.
 */
export function chooseMemory(
  { checkpoint }: Document,
  wanted: Wanted,
  options: { readonly pids?: readonly number[] | undefined },
): ChosenMemory {
  const found: (ChosenMemory & { readonly mapping: Mapping })[] = [];
  for (const task of chosenTasks(checkpoint, options)) {
    const mappings = mappingsOf(task.mappings, wanted);
    const memory = mappings.length === 0 ? undefined : task.memory();
    if (memory === undefined) continue;
    for (const mapping of mappings)
      found.push({
        ...{ pid: task.pid, comm: task.comm, name: mapping.name, memory, mapping },
        ...rangeOf(mapping, wanted),
      });
  }
  const [first] = found;
  const what = "map" in wanted ? JSON.stringify(wanted.map) : hex(wanted.address);
  if (first === undefined) throw new NotFoundError(`no mapping ${what} (crimg memory IMG lists all)`);
  const pids = [...new Set(found.map(({ pid }) => pid))];
  if (pids.length > 1)
    throw new UsageError(`mapping ${what} is in tasks ${listed(pids)}; choose one with -p`);
  if (found.length > 1) {
    const starts = found.slice(0, MAX_LISTED).map(({ start }) => hex(start));
    throw new UsageError(
      `task ${first.pid} has ${found.length} mappings ${what}; choose one by its address: ${starts.join(", ")}`,
    );
  }
  return first;
}

const MAX_LISTED = 20;

function mappingsOf(mappings: readonly Mapping[], wanted: Wanted): Mapping[] {
  const address = "map" in wanted ? parseAddress(wanted.map) : wanted.address;
  if (address !== undefined) return [mappingAt(mappings, address) ?? []].flat();
  const { map } = wanted as { readonly map: string };
  return mappings.filter(({ kind, name }) => kind !== "guard" && name === map);
}

function rangeOf({ start, end }: Mapping, wanted: Wanted): AddressRange {
  if ("map" in wanted) return { start, end };
  const { address, length } = wanted;
  if (length !== undefined) return { start: address, end: address + BigInt(length) };
  return { start: address, end: end < address + SHOWN_BYTES ? end : address + SHOWN_BYTES };
}

/**
 * The contents of memory in order; what was never touched is a number of zeros. Memory that the image does not have is an
 * error, or, with `fill`, zeros, which `fill` is told. Errors: FormatError MISSING, or for damage.
 */
export function* memoryContents(
  { memory, start, end, pid }: ChosenMemory,
  fill?: (bytes: bigint, why: string) => void,
): Generator<Exclude<Piece, { readonly source: unknown }>> {
  const unit = BigInt(memory.pageSize);
  let at = start;
  for (const run of memory.runs(start, end)) {
    const from = run.address > start ? run.address : start;
    const behind = run.address + BigInt(run.pages) * unit;
    const to = behind < end ? behind : end;
    if (from > at) yield* missing({ pid, start: at, end: from }, "is not mapped", fill);
    if (run.where === "file" || run.where === "compressed")
      for (let next = from; next < to; next += BigInt(CHUNK_BYTES))
        yield memory.read(next, Number(to - next < CHUNK_BYTES ? to - next : BigInt(CHUNK_BYTES)));
    else if (run.where === "zero") yield { zeros: Number(to - from) };
    else yield* missing({ pid, start: from, end: to }, whyMissing(run), fill);
    at = to;
  }
  if (at < end) yield* missing({ pid, start: at, end }, "is not mapped", fill);
}

function whyMissing(run: MemoryRun): string {
  if (run.where === "lazy") return "was left in the dumped task for lazy migration";
  if (run.where === "parent-missing") return `is missing in parent set ${run.level} of the chain`;
  return run.where === "absent" ? `is not in the image (${run.why})` : "is not in the image";
}

function* missing(
  { pid, start, end }: AddressRange & { readonly pid: number },
  why: string,
  fill: ((bytes: bigint, why: string) => void) | undefined,
): Generator<{ readonly zeros: number }> {
  if (fill === undefined)
    throw new FormatError(
      "MISSING",
      `memory at ${hex(start)}-${hex(end)} of task ${pid} ${why}; --zeros writes zeros in its place`,
    );
  fill(end - start, why);
  yield { zeros: Number(end - start) };
}
