import { FormatError, UsageError } from "../../io/errors.js";
import { MAX_MEMORY_READ_BYTES } from "../../io/limits.js";
import type { CriuImageSet } from "./image-set.js";
import { IMAGES } from "./images.js";
import { type Absence, type Area, areaAt, memoryAreas } from "./pages-areas.js";
import { pageSizeOf } from "./pages-size.js";
import { PageStore, type StoredRun } from "./pages-store.js";

export type { Absence };

/**
 * Where the contents of memory are. `file`: at `offset` of the pages file. `compressed`: in the LZ4 block of `size`
 * bytes at `offset`. `level` counts parent sets, 0 is the set itself. `zero`: never touched, or all zeros. `lazy`:
 * left in the dumped task for a post-copy migration. `parent-missing`: a parent set should have them and has not.
 */
export type Location =
  | { readonly where: "file"; readonly file: string; readonly offset: number; readonly level: number }
  | {
      readonly where: "compressed";
      readonly file: string;
      readonly offset: number;
      readonly size: number;
      readonly level: number;
    }
  | { readonly where: "zero" | "lazy" }
  | { readonly where: "parent-missing"; readonly level: number }
  | { readonly where: "absent"; readonly why: Absence };

/** Neighbouring pages with one location; that of its first byte. */
export type MemoryRun = Location & { readonly address: bigint; readonly pages: number };

/** A run in page numbers of the task; without `stored` it is zero or absent. */
interface Piece {
  readonly page: number;
  readonly pages: number;
  readonly store: PageStore | undefined;
  readonly stored: StoredRun | undefined;
  readonly absent: Absence | undefined;
}

/** The memory of one task by address: private pages, shared segments, parent sets. Page bytes are read when asked for. */
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

  /** Where the byte at `address` is. Errors: FormatError for damaged images. */
  locate(address: bigint): Location {
    const page = this.#pageOf(address);
    for (const piece of this.#pieces(page, page + 1))
      return this.#location(piece, Number(address % this.#unit));
    throw new UsageError(`0x${address.toString(16)} is no address`);
  }

  /**
   * `length` bytes from `address`; memory that was never touched is zero.
   * Errors: FormatError MISSING when the set does not have them (mapped files, unmapped or lazy pages, broken chains),
   * INVALID or TRUNCATED for damaged images; UsageError above 256 MiB.
   */
  read(address: bigint, length: number): Buffer {
    if (length > MAX_MEMORY_READ_BYTES)
      throw new UsageError(`${length} bytes of memory at once, at most ${MAX_MEMORY_READ_BYTES} are read`);
    const bytes = Buffer.alloc(length);
    let skip = Number(address % this.#unit);
    const from = this.#pageOf(address);
    let done = 0;
    for (const piece of this.#pieces(from, from + Math.ceil((skip + length) / this.pageSize))) {
      const size = Math.min(piece.pages * this.pageSize - skip, length - done);
      this.#copy(piece, skip, bytes.subarray(done, done + size));
      done += size;
      skip = 0;
    }
    return bytes;
  }

  /** All mapped memory, or that of [from, to) cut to whole pages, ascending. Errors: FormatError. */
  *runs(from = 0n, to = 1n << 64n): Generator<MemoryRun> {
    for (const piece of this.#pieces(this.#pageOf(from), this.#pageOf(to + this.#unit - 1n))) {
      if (piece.absent === "not mapped") continue;
      const address = BigInt(piece.page) * this.#unit;
      yield { address, pages: piece.pages, ...this.#location(piece, 0) };
    }
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
    for (const stored of store.runs(from, to)) {
      const { page, pages } = stored;
      if (stored.as === "hole") yield* this.#behind(area, page, page + pages);
      else yield { page, pages, store, stored, absent: undefined };
    }
  }

  /** What a mapping shows where the task has no page of its own. */
  *#behind(area: Area, from: number, to: number): Generator<Piece> {
    const { backing } = area;
    if (backing.is === "absent") return yield absence(from, to - from, backing.why);
    const store = backing.is === "segment" ? this.#segment(backing.shmid) : undefined;
    if (backing.is === "zero" || store === undefined) return yield absence(from, to - from, undefined);
    const shift = area.first - backing.firstPage;
    for (const stored of store.runs(from - shift, to - shift))
      yield { page: stored.page + shift, pages: stored.pages, store, stored, absent: undefined };
  }

  #privatePages(): PageStore {
    this.#private ??= new PageStore(this.set, IMAGES.PAGEMAP, this.pid, this.pageSize);
    return this.#private;
  }

  /** Undefined for a segment without pagemap: nothing in it was ever touched. */
  #segment(shmid: number): PageStore | undefined {
    if (!this.#segments.has(shmid)) {
      const kind = IMAGES.SHMEM_PAGEMAP;
      const isThere = this.set.image(kind, shmid) !== undefined;
      this.#segments.set(shmid, isThere ? new PageStore(this.set, kind, shmid, this.pageSize) : undefined);
    }
    return this.#segments.get(shmid);
  }

  #location({ store, stored, absent }: Piece, skip: number): Location {
    if (absent !== undefined) return { where: "absent", why: absent };
    if (store === undefined || stored === undefined) return { where: "zero" };
    const { as, level, offset, block } = stored;
    if (as === "file") return { where: as, file: store.fileOf(level), offset: offset + skip, level };
    if (block !== undefined)
      return { where: "compressed", file: store.fileOf(level), offset, size: block.stored, level };
    return as === "parent-missing" ? { where: as, level } : { where: as === "lazy" ? "lazy" : "zero" };
  }

  #copy(piece: Piece, skip: number, into: Buffer): void {
    const { store, stored, page } = piece;
    if (stored?.as === "file" || stored?.as === "compressed") {
      store?.bytesOf(stored, skip, into.length).copy(into);
      return;
    }
    const location = this.#location(piece, skip);
    if (location.where === "zero") return;
    const address = `0x${(BigInt(page) * this.#unit + BigInt(skip)).toString(16)}`;
    throw new FormatError("MISSING", `the memory at ${address} of task ${this.pid} ${whyMissing(location)}`, {
      file: this.set.name,
    });
  }
}

/** Every pagemap of the set, those of tasks first: the stored memory, each segment once. */
export function* pageStores(set: CriuImageSet): Generator<PageStore> {
  const pageSize = pageSizeOf(set);
  for (const kind of [IMAGES.PAGEMAP, IMAGES.SHMEM_PAGEMAP])
    for (const id of set.ids(kind)) yield new PageStore(set, kind, id, pageSize);
}

function absence(page: number, pages: number, absent: Absence | undefined): Piece {
  return { page, pages, store: undefined, stored: undefined, absent };
}

function whyMissing(location: Location): string {
  if (location.where === "lazy") return "was left in the dumped task for a lazy migration";
  if (location.where === "parent-missing")
    return `should be in parent set ${location.level} of the chain, where it is not`;
  if (location.where !== "absent") return "is not in the set";
  return location.why === "not mapped"
    ? "is not mapped"
    : `is not in the set: it has the ${location.why.replace("memory", "data")}`;
}
