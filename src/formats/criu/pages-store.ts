import path from "node:path";
import { FormatError } from "../../io/errors.js";
import { MAX_PARENT_LEVELS, READ_WINDOW_BYTES } from "../../io/limits.js";
import { decodeLz4Block } from "../lz4.js";
import { fileNameOf } from "./detect.js";
import type { CriuImageSet } from "./image-set.js";
import { type PageBlocks, PE } from "./pagemap.js";
import type { PageLayout } from "./pages-layout.js";
import { type Level, openLevel, type PagemapKind } from "./pages-level.js";

/**
 * Location of the contents of pages. `file`: plain in a pages file. `compressed`: in an LZ4 block. `zero`: not stored, all
 * zeros. `hole`: no entry. `lazy`: left in the dumped task for post-copy migration. `parent-missing`: an entry refers to
 * a parent set, which does not have them.
 */
export type StoredAs = "file" | "compressed" | "zero" | "hole" | "lazy" | "parent-missing";

/** Adjacent pages with the same kind of location. Page numbers are address / page size. */
export interface StoredRun {
  readonly page: number;
  readonly pages: number;
  readonly as: StoredAs;
  /** The set with them: 0 is the opened one, 1 its parent … */
  readonly level: number;
  /** Offset in the pages file of the first page, or of the LZ4 block. */
  readonly offset: number;
  /** For an LZ4 block: bytes in the file, bytes decoded, and offset of the first page in these. */
  readonly block?: { readonly stored: number; readonly size: number; readonly skip: number };
}

/**
 * Location of the contents of memory. `file`: at `offset` of the pages file. `compressed`: in the LZ4 block of `size`
 * bytes at `offset`. `level` counts parent sets, 0 is the set itself. `zero`: never touched, or all zeros. `lazy`:
 * left in the dumped task for post-copy migration. `parent-missing`: missing in the parent set that should have them.
 */
export type StoredLocation =
  | { readonly where: "file"; readonly file: string; readonly offset: number; readonly level: number }
  | {
      readonly where: "compressed";
      readonly file: string;
      readonly offset: number;
      readonly size: number;
      readonly level: number;
    }
  | { readonly where: "zero" | "lazy" }
  | { readonly where: "parent-missing"; readonly level: number };

/** Maximum number of runs per step, so that iterating over any pagemap needs little memory. */
const RUNS_AT_ONCE = 4096;

/** The stored pages of one task or shared segment, over all sets of an incremental chain. */
export class PageStore {
  readonly #levels: Level[] = [];
  #decoded: { readonly level: number; readonly offset: number; readonly bytes: Buffer } | undefined;

  /** Reads the pagemap; parents and pages lazily. Errors: FormatError, MISSING without the pagemap. */
  constructor(
    set: CriuImageSet,
    readonly kind: PagemapKind,
    readonly id: number,
    readonly pageSize: number,
  ) {
    const level = openLevel(set, kind, id, pageSize, 0);
    if (level === undefined)
      throw new FormatError("MISSING", "missing pagemap", {
        file: path.join(set.name, fileNameOf(kind, id)),
      });
    this.#levels.push(level);
  }

  /** The layout of the set's own pagemap. */
  get layout(): PageLayout {
    return (this.#levels[0] as Level).layout;
  }

  /** Path of the pages file of a level, for messages. */
  fileOf(level: number): string {
    return (this.#levels[level] as Level).pages.name;
  }

  /** Locations of the pages [from, to), without gaps, a few thousand runs at a time. Errors: FormatError. */
  *runs(from: number, to: number): Generator<readonly StoredRun[]> {
    for (let page = from; page < to; ) {
      const runs: StoredRun[] = [];
      page = this.#gather(0, page, to, runs);
      yield runs;
    }
  }

  /** `length` bytes of a run's contents from byte `skip` of its first page. The run must be stored. */
  bytesOf(run: StoredRun, skip: number, length: number): Buffer {
    if (run.block !== undefined) {
      const start = run.block.skip + skip;
      return this.#block(run, run.block).subarray(start, start + length);
    }
    return (this.#levels[run.level] as Level).read(run.offset + skip, length);
  }

  /** Fills `into` with the bytes of a stored run from `skip` on. */
  copy(run: StoredRun, skip: number, into: Buffer): void {
    if (run.block === undefined) (this.#levels[run.level] as Level).readOver(into, run.offset + skip);
    else this.bytesOf(run, skip, into.length).copy(into);
  }

  /** Location of byte `skip` of a run. */
  location({ as, level, offset, block }: StoredRun, skip: number): StoredLocation {
    if (as === "file") return { where: as, file: this.fileOf(level), offset: offset + skip, level };
    if (block !== undefined)
      return { where: "compressed", file: this.fileOf(level), offset, size: block.stored, level };
    return as === "parent-missing" ? { where: as, level } : { where: as === "lazy" ? "lazy" : "zero" };
  }

  /** All pages with an entry, ascending. Errors: FormatError. */
  *all(): Generator<StoredRun> {
    const { layout } = this;
    if (layout.length === 0) return;
    for (const runs of this.runs(layout.first[0] as number, layout.end(layout.length - 1)))
      for (const run of runs) if (run.as !== "hole") yield run;
  }

  /** The contents of a stored run in pieces of the read window; each is valid until the next one. */
  *piecesOf(
    run: StoredRun,
  ): Generator<{ readonly page: number; readonly pages: number; readonly bytes: Buffer }> {
    const atOnce = Math.max(1, Math.floor(READ_WINDOW_BYTES / this.pageSize));
    for (let done = 0; done < run.pages; done += atOnce) {
      const skip = done * this.pageSize;
      const pages = Math.min(atOnce, run.pages - done);
      const length = pages * this.pageSize;
      const bytes =
        run.block !== undefined
          ? this.bytesOf(run, skip, length)
          : (this.#levels[run.level] as Level).readAhead(run.offset + skip, length);
      yield { page: run.page + done, pages, bytes };
    }
  }

  /** Appends the runs of [from, to) of one level; returns the page reached. */
  #gather(depth: number, from: number, to: number, runs: StoredRun[]): number {
    const level = this.#levels[depth] as Level;
    const { layout } = level;
    const { flags } = layout.pagemap;
    let page = from;
    for (let i = layout.indexAt(from); page < to && runs.length < RUNS_AT_ONCE; i++) {
      const start = i < layout.length ? Math.min(to, layout.first[i] as number) : to;
      if (start > page) {
        runs.push(nothingAt(page, start - page, depth));
        page = start;
        if (page === to) break;
      }
      const end = Math.min(to, layout.end(i));
      if (end <= page) continue;
      const bits = flags[i] as number;
      if ((bits & PE.PRESENT) !== 0) page = this.#present(level, i, page, end, runs);
      else if ((bits & PE.PARENT) !== 0) page = this.#inParent(depth, page, end, runs);
      else {
        const as = (bits & PE.LAZY) !== 0 ? "lazy" : nothingAt(page, 0, depth).as;
        runs.push({ page, pages: end - page, as, level: depth, offset: 0 });
        page = end;
      }
      if (page < end) break;
    }
    return page;
  }

  #inParent(depth: number, from: number, to: number, runs: StoredRun[]): number {
    const parent = this.#parentOf(depth);
    if (parent !== undefined) return this.#gather(depth + 1, from, to, runs);
    runs.push({ page: from, pages: to - from, as: "parent-missing", level: depth + 1, offset: 0 });
    return to;
  }

  #parentOf(depth: number): Level | undefined {
    const known = this.#levels[depth + 1];
    if (known !== undefined) return known;
    if (depth + 1 > MAX_PARENT_LEVELS)
      throw new FormatError("INVALID", `too many parent sets (expected at most ${MAX_PARENT_LEVELS})`, {
        file: (this.#levels[0] as Level).set.name,
      });
    const set = (this.#levels[depth] as Level).set.parent();
    const level = set && openLevel(set, this.kind, this.id, this.pageSize, depth + 1);
    if (level !== undefined) this.#levels.push(level);
    return level;
  }

  #present(level: Level, index: number, from: number, to: number, runs: StoredRun[]): number {
    const { layout, depth } = level;
    const first = layout.first[index] as number;
    const blocks = layout.pagemap.blocks.get(index);
    if (blocks !== undefined) return this.#inBlocks(level, index, blocks, from, to, runs);
    const offset = (layout.offset[index] as number) + (from - first) * this.pageSize;
    level.checkInFile(index, from, offset, (to - from) * this.pageSize);
    runs.push({ page: from, pages: to - from, as: "file", level: depth, offset });
    return to;
  }

  #inBlocks(
    level: Level,
    index: number,
    blocks: PageBlocks,
    from: number,
    to: number,
    runs: StoredRun[],
  ): number {
    const { layout, depth } = level;
    const first = layout.first[index] as number;
    const { sizes, pagesPerBlock } = blocks;
    let page = from;
    while (page < to && runs.length < RUNS_AT_ONCE) {
      const number = Math.floor((page - first) / pagesPerBlock);
      const blockFirst = first + number * pagesPerBlock;
      const blockEnd = Math.min(blockFirst + pagesPerBlock, layout.end(index));
      const pages = Math.min(to, blockEnd) - page;
      const stored = sizes[number] as number;
      const size = (blockEnd - blockFirst) * this.pageSize;
      const skip = (page - blockFirst) * this.pageSize;
      const offset = layout.blockOffset(index, number);
      level.checkInFile(index, page, offset, stored);
      if (stored === 0) runs.push({ page, pages, as: "zero", level: depth, offset: 0 });
      else if (stored === size) runs.push({ page, pages, as: "file", level: depth, offset: offset + skip });
      else runs.push({ page, pages, as: "compressed", level: depth, offset, block: { stored, size, skip } });
      page += pages;
    }
    return page;
  }

  /** Adjacent pages often share a block, so the last one is cached. */
  #block(run: StoredRun, block: NonNullable<StoredRun["block"]>): Buffer {
    const kept = this.#decoded;
    if (kept?.level === run.level && kept.offset === run.offset) return kept.bytes;
    const level = this.#levels[run.level] as Level;
    const place = { file: level.pages.name, offset: run.offset };
    const bytes = decodeLz4Block(level.read(run.offset, block.stored), block.size, place);
    this.#decoded = { level: run.level, offset: run.offset, bytes };
    return bytes;
  }
}

/** In the opened set pages without an entry were never touched; in a parent they must exist. */
function nothingAt(page: number, pages: number, depth: number): StoredRun {
  return { page, pages, as: depth === 0 ? "hole" : "parent-missing", level: depth, offset: 0 };
}
