import path from "node:path";
import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { VMA_TYPE } from "../../formats/linux-cr/tables/memory.js";
import { FormatError, UsageError } from "../../io/errors.js";
import { MAX_MEMORY_READ_BYTES } from "../../io/limits.js";
import { readOver } from "../../io/source.js";
import { lazy } from "../lazy.js";
import type { Memory, MemoryLocation, MemoryRun, PageCounts, SegmentArea } from "../memory.js";
import type { StreamReader } from "./reader.js";
import { pageSizeOf, SavedPages } from "./saved-pages.js";
import { type Segments, sharesPages } from "./segments.js";

/** What a mapping shows where the task has no page of its own. */
type Backing =
  | { readonly is: "zero" }
  | { readonly is: "absent"; readonly why: string }
  | { readonly is: "segment"; readonly objref: number; readonly firstPage: number };

/** One mapping in page numbers (address / page size), [first, end), with its own pages if it has such. */
interface Area {
  readonly first: number;
  readonly end: number;
  readonly own: (() => SavedPages) | undefined;
  readonly backing: Backing;
}

/** Pages with one location; the offset is that of the first one in the image. */
interface Piece {
  readonly page: number;
  readonly pages: number;
  readonly offset: number | undefined;
  readonly absent: string | undefined;
}

/** The memory of an address space of a linux-cr stream: its own pages, those of segments, and what stands for the rest. */
export class StreamMemory implements Memory {
  readonly pageSize: number;
  readonly #areas: readonly Area[];

  /** Errors: FormatError for mappings that overlap or are not made of whole pages. */
  constructor(
    readonly reader: StreamReader,
    mm: Part,
    private readonly shared: Segments,
    readonly pid: number,
  ) {
    this.pageSize = pageSizeOf(reader);
    this.#areas = mm.parts
      .map((part) => this.#area(part))
      .filter(({ first, end }) => end > first)
      .sort((a, b) => a.first - b.first);
    const overlap = this.#areas.findIndex(
      (area, i) => i > 0 && area.first < (this.#areas[i - 1] as Area).end,
    );
    if (overlap >= 0)
      throw reader.image.error(
        mm.records[0] ?? 0,
        `two mappings have the page at ${this.#addressText((this.#areas[overlap] as Area).first)}`,
      );
  }

  get directory(): string {
    return path.dirname(this.reader.image.name);
  }

  read(address: bigint, length: number): Buffer {
    if (length > MAX_MEMORY_READ_BYTES)
      throw new UsageError(`${length} bytes of memory at once, at most ${MAX_MEMORY_READ_BYTES} are read`);
    const bytes = Buffer.allocUnsafeSlow(length);
    this.readOver(bytes, address);
    return bytes;
  }

  readOver(bytes: Buffer, address: bigint): void {
    const { length } = bytes;
    let skip = Number(address % this.#unit);
    let done = 0;
    const from = this.#pageOf(address);
    for (const { page, pages, offset, absent } of this.#pieces(
      from,
      from + Math.ceil((skip + length) / this.pageSize),
    )) {
      if (absent !== undefined)
        throw new FormatError(
          "MISSING",
          `the memory at ${this.#addressText(page)} of task ${this.pid} is not in the image: it ${absent}`,
          { file: this.reader.image.name },
        );
      const size = Math.min(pages * this.pageSize - skip, length - done);
      const into = bytes.subarray(done, done + size);
      if (offset === undefined) into.fill(0);
      else readOver(this.reader.image.source, into, offset + skip);
      done += size;
      skip = 0;
    }
  }

  *runs(from = 0n, to = 1n << 64n): Generator<MemoryRun> {
    const file = path.basename(this.reader.image.name);
    for (const piece of this.#pieces(this.#pageOf(from), this.#pageOf(to + this.#unit - 1n))) {
      const { page, pages, offset, absent } = piece;
      if (absent === NOT_MAPPED) continue;
      const location: MemoryLocation =
        absent !== undefined
          ? { where: "absent", why: absent }
          : offset === undefined
            ? { where: "zero" }
            : { where: "file", file, offset, level: 0 };
      yield { ...location, address: BigInt(page) * this.#unit, pages };
    }
  }

  get segments(): SegmentArea[] {
    return this.#areas.flatMap(({ first, end, backing }) =>
      backing.is !== "segment"
        ? []
        : {
            ...{ segment: backing.objref, start: BigInt(first) * this.#unit, end: BigInt(end) * this.#unit },
            offset: BigInt(backing.firstPage) * this.#unit,
          },
    );
  }

  count(from: bigint, to: bigint): PageCounts {
    const start = this.#pageOf(from);
    const end = this.#pageOf(to + this.#unit - 1n);
    let stored = 0;
    for (let i = this.#areaAt(start); i < this.#areas.length; i++) {
      const area = this.#areas[i] as Area;
      if (area.first >= end) break;
      const { own, backing } = area;
      const saved = own?.() ?? (backing.is === "segment" ? this.shared.pages(backing.objref) : undefined);
      const shift = own === undefined && backing.is === "segment" ? area.first - backing.firstPage : 0;
      stored += saved?.count(Math.max(start, area.first) - shift, Math.min(end, area.end) - shift) ?? 0;
    }
    return { stored, inParent: 0, lazy: 0 };
  }

  get #unit(): bigint {
    return BigInt(this.pageSize);
  }

  #pageOf(address: bigint): number {
    return Number(address / this.#unit);
  }

  #addressText(page: number): string {
    return `0x${(BigInt(page) * this.#unit).toString(16)}`;
  }

  /** Index of the first area that ends behind `page`. */
  #areaAt(page: number): number {
    let low = 0;
    let high = this.#areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#areas[middle] as Area).end > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** [from, to) without a gap. */
  *#pieces(from: number, to: number): Generator<Piece> {
    let page = from;
    for (let i = this.#areaAt(from); page < to; i++) {
      const area = this.#areas[i];
      const start = Math.max(page, Math.min(to, area?.first ?? to));
      if (start > page) yield { page, pages: start - page, offset: undefined, absent: NOT_MAPPED };
      page = start;
      if (area === undefined || page === to) break;
      const end = Math.min(to, area.end);
      yield* this.#inArea(area, page, end);
      page = end;
    }
  }

  *#inArea(area: Area, from: number, to: number): Generator<Piece> {
    if (area.own === undefined) return yield* this.#behind(area, from, to);
    for (const run of area.own().runs(from, to, this.pageSize))
      if (run.offset === undefined) yield* this.#behind(area, run.page, run.page + run.pages);
      else yield { ...run, absent: undefined };
  }

  *#behind({ first, backing }: Area, from: number, to: number): Generator<Piece> {
    const all = { page: from, pages: to - from, offset: undefined };
    if (backing.is === "zero") return yield { ...all, absent: undefined };
    if (backing.is === "absent") return yield { ...all, absent: backing.why };
    const pages = this.shared.pages(backing.objref);
    if (pages === undefined)
      return yield { ...all, absent: `is of segment ${backing.objref}, which has no pages in the image` };
    const shift = first - backing.firstPage;
    for (const { page, pages: count, offset } of pages.runs(from - shift, to - shift, this.pageSize))
      yield { page: page + shift, pages: count, offset, absent: undefined };
  }

  #area(part: Part): Area {
    const { index, value: vma } = this.reader.get(part, RECORDS.VMA);
    if (vma.vm_start % this.#unit !== 0n || vma.vm_end % this.#unit !== 0n || vma.vm_end < vma.vm_start)
      throw this.reader.image.error(
        index,
        `0x${vma.vm_start.toString(16)}-0x${vma.vm_end.toString(16)} is not a range of whole pages`,
      );
    const type = vma.vma_type;
    const hasOwn = !sharesPages(vma) && (type === VMA_TYPE.anonymous || part.pageArrays.length > 0);
    return {
      first: Number(vma.vm_start / this.#unit),
      end: Number(vma.vm_end / this.#unit),
      own: hasOwn ? lazy(() => new SavedPages(this.reader, part, "addresses")) : undefined,
      backing: this.#backing(vma),
    };
  }

  #backing(vma: RecordValue<typeof RECORDS.VMA>): Backing {
    const firstPage = Number(vma.vm_pgoff);
    switch (vma.vma_type) {
      case VMA_TYPE.anonymous:
        return { is: "zero" };
      case VMA_TYPE.sharedAnonymous:
      case VMA_TYPE.sharedAnonymousAgain:
      case VMA_TYPE.sysV:
      case VMA_TYPE.sysVAgain:
        return { is: "segment", objref: vma.ino_objref, firstPage };
      case VMA_TYPE.privateFile:
      case VMA_TYPE.sharedFile: {
        const memfd = this.shared.ofMemfd(vma.vma_objref);
        return memfd === undefined
          ? { is: "absent", why: "shows the contents of a mapped file" }
          : { is: "segment", objref: memfd, firstPage };
      }
      case VMA_TYPE.hugePages:
      case VMA_TYPE.hugePagesAgain:
        return { is: "absent", why: "is made of huge pages" };
      default:
        return { is: "absent", why: "is memory of the kernel" };
    }
  }
}

const NOT_MAPPED = "is not mapped";
