import { FormatError, NotFoundError, UsageError } from "../../io/errors.js";
import { hex } from "../../io/hex.js";
import { listed } from "../../io/listed.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { type Mapping, mappingAt } from "../../model/mapping.js";
import type { Memory } from "../../model/memory.js";
import { type MissingMemory, memoryPieces } from "../../model/memory-pieces.js";
import type { AddressRange } from "../../model/origin.js";

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
): Generator<Buffer | { readonly zeros: number }> {
  for (const piece of memoryPieces(memory, { start, end }))
    if (!("missing" in piece)) yield piece;
    else yield missing({ pid, ...piece.missing }, fill);
}

function missing(
  { pid, start, end, why }: MissingMemory & { readonly pid: number },
  fill: ((bytes: bigint, why: string) => void) | undefined,
): { readonly zeros: number } {
  if (fill === undefined)
    throw new FormatError(
      "MISSING",
      `memory at ${hex(start)}-${hex(end)} of task ${pid} ${why}; --zeros writes zeros in its place`,
    );
  fill(end - start, why);
  return { zeros: Number(end - start) };
}
