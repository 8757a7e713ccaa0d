import { FormatError, UsageError } from "../../io/errors.js";
import { MAX_MEMORY_READ_BYTES } from "../../io/limits.js";
import type { CriuImageSet } from "./image-set.js";
import { IMAGES } from "./images.js";
import { type Absence, type Area, areaAt, memoryAreas } from "./pages-areas.js";
import type { PageCounts } from "./pages-layout.js";
import { pageSizeOf } from "./pages-size.js";
import { PageStore, type StoredLocation, type StoredRun } from "./pages-store.js";

export type { Absence };

/** Location of the contents of memory, or why the set has none. */
export type Location = StoredLocation | { readonly where: "absent"; readonly why: Absence };

/** Adjacent pages with contiguous contents; location of the first byte. */
export type MemoryRun = Location & { readonly address: bigint; readonly pages: number };

/** Addresses that show a segment from `offset` on. */
export interface SegmentArea {
  readonly segment: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly offset: bigint;
}

/** Runs of one store, `shift` pages off the task's page numbers; or pages without a store. */
interface Piece {
  readonly store: PageStore | undefined;
  readonly shift: number;
  readonly absent: Absence | undefined;
  readonly runs: readonly StoredRun[];
}

/** The memory of one task by address: private pages, shared segments, parent sets. Page bytes are read on demand. */
export class AddressSpace {
  readonly pageSize: number;
  readonly #areas: readonly Area[];
  readonly #segments = new Map<number, PageStore | undefined>();
  #private: PageStore | undefined;

  private constructor(
    readonly set: CriuImageSet,
    readonly pid: number,
  ) {
    this.pageSize = pageSizeOf(set);
    this.#areas = memoryAreas(set, pid, this.pageSize);
  }

  /** Undefined for a task without memory (a zombie). Errors: FormatError for a damaged mm image. */
  static of(set: CriuImageSet, pid: number): AddressSpace | undefined {
    return set.image(IMAGES.MM, pid) === undefined ? undefined : new AddressSpace(set, pid);
  }

  /** Directory of the pages files of level 0. */
  get directory(): string {
    return this.set.name;
  }

  /** Location of the byte at `address`. Errors: FormatError for damaged images. */
  locate(address: bigint): Location {
    const page = this.#pageOf(address);
    const skip = Number(address % this.#unit);
    for (const piece of this.#pieces(page, page + 1))
      for (const run of piece.runs) return this.#location(piece, run, skip);
    throw new UsageError(`invalid address 0x${address.toString(16)}`);
  }

  /**
   * `length` bytes from `address`; untouched memory is zero.
   * Errors: FormatError MISSING if not in the set (mapped files, unmapped or lazy pages, broken chains),
   * INVALID or TRUNCATED for damaged images; UsageError above 256 MiB.
   */
  read(address: bigint, length: number): Buffer {
    if (length > MAX_MEMORY_READ_BYTES)
      throw new UsageError(`invalid length ${length} (expected at most ${MAX_MEMORY_READ_BYTES})`);
    const bytes = Buffer.allocUnsafeSlow(length);
    this.readOver(bytes, address);
    return bytes;
  }

  /** As `read`, into memory that is there already. */
  readOver(bytes: Buffer, address: bigint): void {
    const { length } = bytes;
    const from = this.#pageOf(address);
    let skip = Number(address % this.#unit);
    let done = 0;
    for (const piece of this.#pieces(from, from + Math.ceil((skip + length) / this.pageSize)))
      for (const run of piece.runs) {
        const size = Math.min(run.pages * this.pageSize - skip, length - done);
        this.#copy(piece, run, skip, bytes.subarray(done, done + size));
        done += size;
        skip = 0;
      }
  }

  /** All mapped memory, or that in [from, to) in whole pages, ascending. Errors: FormatError. */
  *runs(from = 0n, to = 1n << 64n): Generator<MemoryRun> {
    for (const piece of this.#pieces(this.#pageOf(from), this.#pageOf(to + this.#unit - 1n))) {
      if (piece.absent === "not mapped") continue;
      for (const run of piece.runs) {
        const address = BigInt(run.page + piece.shift) * this.#unit;
        yield Object.assign(this.#location(piece, run, 0), { address, pages: run.pages });
      }
    }
  }

  /** Where it shows segments of shared memory; in private mappings, where the task has no page of its own. */
  get segments(): SegmentArea[] {
    return this.#areas.flatMap(({ first, end, backing }) =>
      backing.is !== "segment"
        ? []
        : {
            ...{ segment: backing.shmid, start: BigInt(first) * this.#unit, end: BigInt(end) * this.#unit },
            offset: BigInt(backing.firstPage) * this.#unit,
          },
    );
  }

  /** Numbers of pages of [from, to) with a pagemap entry, without checking parents. Errors: FormatError. */
  count(from: bigint, to: bigint): PageCounts {
    const sum = { stored: 0, inParent: 0, lazy: 0 };
    const start = this.#pageOf(from);
    const end = this.#pageOf(to + this.#unit - 1n);
    for (let i = areaAt(this.#areas, start); i < this.#areas.length; i++) {
      const area = this.#areas[i] as Area;
      if (area.first >= end) break;
      const { backing } = area;
      const segment = backing.is === "segment" ? this.#segment(backing.shmid) : undefined;
      const store = area.isPrivate ? this.#privatePages() : segment;
      const shift = area.isPrivate || backing.is !== "segment" ? 0 : area.first - backing.firstPage;
      const counts = store?.layout.count(
        Math.max(start, area.first) - shift,
        Math.min(end, area.end) - shift,
      );
      sum.stored += counts?.stored ?? 0;
      sum.inParent += counts?.inParent ?? 0;
      sum.lazy += counts?.lazy ?? 0;
    }
    return sum;
  }

  get #unit(): bigint {
    return BigInt(this.pageSize);
  }

  #pageOf(address: bigint): number {
    return Number(address / this.#unit);
  }

  /** [from, to) without a gap. */
  *#pieces(from: number, to: number): Generator<Piece> {
    let page = from;
    for (let i = areaAt(this.#areas, from); page < to; i++) {
      const area = this.#areas[i];
      const start = Math.max(page, Math.min(to, area?.first ?? to));
      if (start > page) yield absence(page, start - page, "not mapped");
      page = start;
      if (area === undefined || page === to) break;
      const end = Math.min(to, area.end);
      yield* this.#inArea(area, page, end);
      page = end;
    }
  }

  *#inArea(area: Area, from: number, to: number): Generator<Piece> {
    if (!area.isPrivate) return yield* this.#behind(area, from, to);
    const store = this.#privatePages();
    for (const runs of store.runs(from, to)) {
      if (area.backing.is === "zero") yield { store, shift: 0, absent: undefined, runs };
      else
        for (const run of runs)
          if (run.as === "hole") yield* this.#behind(area, run.page, run.page + run.pages);
          else yield { store, shift: 0, absent: undefined, runs: [run] };
    }
  }

  /** Contents of a mapping where the task has no private page. */
  *#behind({ first, backing }: Area, from: number, to: number): Generator<Piece> {
    if (backing.is === "absent") return yield absence(from, to - from, backing.why);
    const store = backing.is === "segment" ? this.#segment(backing.shmid) : undefined;
    if (backing.is === "zero" || store === undefined) return yield absence(from, to - from, undefined);
    const shift = first - backing.firstPage;
    for (const runs of store.runs(from - shift, to - shift)) yield { store, shift, absent: undefined, runs };
  }

  #privatePages(): PageStore {
    this.#private ??= new PageStore(this.set, IMAGES.PAGEMAP, this.pid, this.pageSize);
    return this.#private;
  }

  /** Undefined for a segment without pagemap, which was never touched. */
  #segment(shmid: number): PageStore | undefined {
    if (!this.#segments.has(shmid)) {
      const kind = IMAGES.SHMEM_PAGEMAP;
      const isThere = this.set.image(kind, shmid) !== undefined;
      this.#segments.set(shmid, isThere ? new PageStore(this.set, kind, shmid, this.pageSize) : undefined);
    }
    return this.#segments.get(shmid);
  }

  #location({ store, absent }: Piece, run: StoredRun, skip: number): Location {
    if (absent !== undefined) return { where: "absent", why: absent };
    return store === undefined ? { where: "zero" } : store.location(run, skip);
  }

  #copy(piece: Piece, run: StoredRun, skip: number, into: Buffer): void {
    if (piece.store !== undefined && (run.as === "file" || run.as === "compressed")) {
      piece.store.copy(run, skip, into);
      return;
    }
    const location = this.#location(piece, run, skip);
    if (location.where === "zero") {
      into.fill(0);
      return;
    }
    const address = `0x${(BigInt(run.page + piece.shift) * this.#unit + BigInt(skip)).toString(16)}`;
    throw new FormatError("MISSING", `memory at ${address} of task ${this.pid} ${whyMissing(location)}`, {
      file: this.set.name,
    });
  }
}

/** A pagemap of a set, not read yet. */
export interface UnreadPagemap {
  /** Whether it is of a task; `id` is its pid, or the number of the segment. */
  readonly isOfTask: boolean;
  readonly id: number;
  /** Errors: FormatError. */
  open(): PageStore;
}

/** Every pagemap of the set, those of tasks first; each segment once. */
export function* pagemapsOf(set: CriuImageSet): Generator<UnreadPagemap> {
  for (const kind of [IMAGES.PAGEMAP, IMAGES.SHMEM_PAGEMAP])
    for (const id of set.ids(kind))
      yield {
        isOfTask: kind === IMAGES.PAGEMAP,
        id,
        open: () => new PageStore(set, kind, id, pageSizeOf(set)),
      };
}

function absence(page: number, pages: number, absent: Absence | undefined): Piece {
  const runs = [{ page, pages, as: "hole", level: 0, offset: 0 }] as const;
  return { store: undefined, shift: 0, absent, runs };
}

function whyMissing(location: Location): string {
  if (location.where === "lazy") return "was left in the dumped task for lazy migration";
  if (location.where === "parent-missing") return `is missing in parent set ${location.level} of the chain`;
  if (location.where !== "absent") return "is not in the set";
  return location.why === "not mapped"
    ? "is not mapped"
    : `is not in the set (${location.why.replace("memory", "data")})`;
}
