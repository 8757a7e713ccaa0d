import path from "node:path";
import { MAX_LISTED_CHANGES } from "../../io/limits.js";
import { isSameFile } from "../../io/same-file.js";
import type { Task } from "../../model/checkpoint.js";
import type { Mapping } from "../../model/mapping.js";
import type { Memory, MemoryRun } from "../../model/memory.js";
import type { AddressRange } from "../../model/origin.js";
import { Queues } from "./pairs.js";
import { hex, type Side } from "./section.js";
import {
  comparedMappings,
  formatRange,
  isKernelMapping,
  mappingAlias,
  mappingName,
} from "./sections/mappings.js";

/** Bytes compared at once. */
const CHUNK_BYTES = 1024 * 1024;

/** Adjacent pages of a mapping with the same status; addresses are those of the new set, or of the old if removed. */
export interface PageRange {
  readonly start: string;
  readonly end: string;
  readonly status: "added" | "removed" | "changed";
}

/** Differing bytes of a page; both sides as hexadecimal. */
export interface ByteRange {
  /** In the new image. */
  readonly address: string;
  readonly old: string;
  readonly new: string;
}

/** How much detail of differing pages is listed. */
export interface MemoryDetail {
  /** The ranges of differing pages. */
  readonly ranges: boolean;
  /** The differing bytes of changed pages. */
  readonly bytes: boolean;
}

/** Differing pages of one mapping. */
export interface MemoryDifference {
  readonly pid: number;
  readonly label: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly ranges?: readonly PageRange[];
  /** The first MAX_LISTED_CHANGES. */
  readonly bytes?: readonly ByteRange[];
}

/** Compares stored pages by mapping. Pages that both sets share in one file are not read. */
export function* diffMemory(
  left: Side,
  right: Side,
  detail: MemoryDetail,
  progress: (done: number, total: number) => void = () => {},
): Generator<MemoryDifference> {
  let total = 0;
  for (const { mappings } of left.tasks()) for (const mapping of mappings) total += sizeOf(mapping);
  let done = 0;
  const partners = new Map(right.tasks().map((task) => [right.taskKey(task.pid), task]));
  for (const task of left.tasks()) {
    const partner = partners.get(left.taskKey(task.pid));
    if (partner === undefined) continue;
    const [before, after] = [task.memory(), partner.memory()];
    if (before === undefined || after === undefined || before.pageSize !== after.pageSize) continue;
    const comparison = new MemoryComparison(before, after, detail, (bytes) => progress(done + bytes, total));
    for (const pair of pairMappings(left, right, task, partner)) {
      const shown = (pair.old ?? pair.new) as Mapping;
      const name = mappingName(pair.old === undefined ? right : left, shown);
      const counts = comparison.compare(pair.old, pair.new);
      if (pair.old !== undefined) done += sizeOf(pair.old);
      if (counts.added + counts.removed + counts.changed > 0)
        yield {
          pid: task.pid,
          label: `${task.pid} ${formatRange(shown)}${name ? ` ${name}` : ""}`,
          ...counts,
        };
    }
  }
}

function sizeOf({ start, end }: AddressRange): number {
  return Number(end - start);
}

interface MappingPair {
  readonly old: Mapping | undefined;
  readonly new: Mapping | undefined;
}

/** Pairs the mappings of two tasks: by start, else by alias in order, else unpaired. */
function* pairMappings(left: Side, right: Side, task: Task, partner: Task): Generator<MappingPair> {
  const comparable = (side: Side, of: Task): Mapping[] =>
    comparedMappings(side, of).filter((mapping) => !isKernelMapping(mapping) && mapping.kind !== "guard");
  const byStart = new Map(comparable(right, partner).map((mapping) => [mapping.start, mapping]));
  const rest: Mapping[] = [];
  for (const mapping of comparable(left, task)) {
    const same = byStart.get(mapping.start);
    if (same === undefined) rest.push(mapping);
    else {
      byStart.delete(mapping.start);
      yield { old: mapping, new: same };
    }
  }
  const byAlias = new Queues<Mapping>();
  for (const mapping of byStart.values()) byAlias.add(mappingAlias(right, mapping), mapping);
  for (const mapping of rest) yield { old: mapping, new: byAlias.take(mappingAlias(left, mapping)) };
  for (const mapping of byAlias.rest()) yield { old: undefined, new: mapping };
}

/** Start of stored pages relative to their mapping. */
interface StoredRun {
  readonly page: number;
  readonly pages: number;
  readonly run: MemoryRun;
}

class MemoryComparison {
  readonly #sameFiles = new Map<string, boolean>();

  constructor(
    readonly before: Memory,
    readonly after: Memory,
    readonly detail: MemoryDetail,
    readonly progress: (bytes: number) => void,
  ) {}

  compare(
    old: AddressRange | undefined,
    fresh: AddressRange | undefined,
  ): Omit<MemoryDifference, "pid" | "label"> {
    const ranges: PageRange[] = [];
    const bytes: ByteRange[] = [];
    const counts = { added: 0, removed: 0, changed: 0 };
    const note = (status: PageRange["status"], page: number, pages: number): void => {
      counts[status] += pages;
      if (!this.detail.ranges) return;
      const base = (status === "removed" ? old : (fresh ?? old))?.start ?? 0n;
      const unit = BigInt(this.after.pageSize);
      const start = hex(base + BigInt(page) * unit) as string;
      const last = ranges.at(-1);
      if (last?.end === start && last.status === status) ranges.pop();
      ranges.push({
        start: last?.end === start && last.status === status ? last.start : start,
        end: hex(base + BigInt(page + pages) * unit) as string,
        status,
      });
    };
    const left = storedRuns(this.before, old);
    const right = storedRuns(this.after, fresh);
    let [a, b] = [left.next().value, right.next().value];
    let at = 0;
    while (a !== undefined || b !== undefined) {
      const start = Math.max(at, Math.min(a?.page ?? Infinity, b?.page ?? Infinity));
      const inA = a !== undefined && a.page <= start;
      const inB = b !== undefined && b.page <= start;
      const end = Math.min(
        a === undefined ? Infinity : inA ? a.page + a.pages : a.page,
        b === undefined ? Infinity : inB ? b.page + b.pages : b.page,
      );
      if (a !== undefined && b !== undefined && inA && inB)
        this.#compareStored(a, b, start, end - start, note, bytes);
      else note(inA ? "removed" : "added", start, end - start);
      at = end;
      if (a !== undefined && a.page + a.pages <= at) a = left.next().value;
      if (b !== undefined && b.page + b.pages <= at) b = right.next().value;
    }
    return {
      ...counts,
      ...(this.detail.ranges ? { ranges } : {}),
      ...(this.detail.bytes && bytes.length > 0 ? { bytes } : {}),
    };
  }

  #compareStored(
    a: StoredRun,
    b: StoredRun,
    page: number,
    pages: number,
    note: (status: "changed", page: number, pages: number) => void,
    bytes: ByteRange[],
  ): void {
    if (this.#isSamePlace(a, b)) return;
    const { pageSize } = this.after;
    const atOnce = Math.max(1, Math.floor(CHUNK_BYTES / pageSize));
    for (let first = page; first < page + pages; first += atOnce) {
      const count = Math.min(atOnce, page + pages - first);
      const before = this.before.read(addressOf(a, first, pageSize), count * pageSize);
      const after = this.after.read(addressOf(b, first, pageSize), count * pageSize);
      this.progress((first + count) * pageSize);
      if (before.equals(after)) continue;
      for (let i = 0; i < count; i++) {
        const [start, end] = [i * pageSize, (i + 1) * pageSize];
        if (before.compare(after, start, end, start, end) === 0) continue;
        note("changed", first + i, 1);
        if (!this.detail.bytes) continue;
        const address = addressOf(b, first + i, pageSize);
        for (const range of differingBytes(before.subarray(start, end), after.subarray(start, end), address))
          if (bytes.length < MAX_LISTED_CHANGES) bytes.push(range);
          else break;
      }
    }
  }

  /** Whether both runs are the same bytes of one file: a set and its copy with shared pages. */
  #isSamePlace(a: StoredRun, b: StoredRun): boolean {
    const [x, y] = [a.run, b.run];
    if (x.where !== "file" || y.where !== "file" || x.level !== 0 || y.level !== 0) return false;
    const { pageSize } = this.after;
    if (x.offset - a.page * pageSize !== y.offset - b.page * pageSize) return false;
    const key = `${x.file}\0${y.file}`;
    let same = this.#sameFiles.get(key);
    if (same === undefined) {
      same = isSameFile(fileOf(this.before, x.file), fileOf(this.after, y.file));
      this.#sameFiles.set(key, same);
    }
    return same;
  }
}

/** Runs of bytes that differ; runs with fewer than eight equal bytes between them are one. */
function* differingBytes(before: Buffer, after: Buffer, address: bigint): Generator<ByteRange> {
  let start = -1;
  let last = -1;
  const range = (): ByteRange => ({
    address: hex(address + BigInt(start)) as string,
    old: before.toString("hex", start, last + 1),
    new: after.toString("hex", start, last + 1),
  });
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    if (start !== -1 && i - last > EQUAL_BETWEEN) {
      yield range();
      start = i;
    }
    if (start === -1) start = i;
    last = i;
  }
  if (start !== -1) yield range();
}

const EQUAL_BETWEEN = 8;

/** Runs name the file with or without its directory. */
function fileOf({ directory }: Memory, file: string): string {
  return path.join(directory, path.basename(file));
}

function addressOf(run: StoredRun, page: number, pageSize: number): bigint {
  return run.run.address + BigInt((page - run.page) * pageSize);
}

/** The runs of a mapping with contents in the set. */
function* storedRuns(memory: Memory, range: AddressRange | undefined): Generator<StoredRun, undefined> {
  if (range === undefined) return undefined;
  for (const run of memory.runs(range.start, range.end))
    if (run.where === "file" || run.where === "compressed")
      yield { page: Number((run.address - range.start) / BigInt(memory.pageSize)), pages: run.pages, run };
  return undefined;
}
