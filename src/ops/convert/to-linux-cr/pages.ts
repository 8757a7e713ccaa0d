import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { PageStore } from "../../../formats/criu/pages-store.js";
import type { PageRun } from "../../../formats/linux-cr/stream-writer.js";
import { FormatError } from "../../../io/errors.js";
import { type ByteSource, checkRange } from "../../../io/source.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import type { Context } from "./context.js";

/** Where page lists get their contents: the pages of one pagemap, and those of its parent sets. */
export class StoredPages {
  readonly #store: PageStore;

  constructor(
    context: Context,
    kind: typeof IMAGES.PAGEMAP | typeof IMAGES.SHMEM_PAGEMAP,
    id: number,
    /** "task 4711", for losses. */
    readonly label: string,
  ) {
    this.#store = new PageStore(context.set, kind, id, PAGE_SIZE);
    this.#context = context;
  }

  readonly #context: Context;

  /**
   * Pages [first, first + count) that are stored. With `zeros`, pages that are known to be zero are among them: where a
   * file is mapped they differ from it. `keyOf` gives the key of a page.
   * Errors: FormatError for pages that a parent set should have and has not.
   */
  *runs(first: number, count: number, zeros: boolean, keyOf: (page: number) => bigint): Generator<PageRun> {
    const source = new PagesSource(this.#store, first, count);
    for (const runs of this.#store.runs(first, first + count))
      for (const { page, pages, as } of runs) {
        const from = { source, offset: (page - first) * PAGE_SIZE };
        if (as === "file" || as === "compressed") yield { key: keyOf(page), pages, from };
        else if (as === "zero" && zeros) yield { key: keyOf(page), pages };
        else if (as === "parent-missing")
          throw new FormatError(
            "MISSING",
            `missing: ${pages} pages of ${this.label} from page ${page} on should be in a parent set`,
            { file: this.#context.set.name },
          );
        else if (as === "lazy")
          this.#context.losses.add(
            this.label,
            "memory that stayed in the dumped task for a lazy migration",
            "the set does not have it",
          );
      }
  }
}

/** The pages of a shared segment, by page index; none for a segment that was never touched. */
export function segmentPages(context: Context, shmid: number, bytes: bigint): Iterable<PageRun> {
  if (context.set.image(IMAGES.SHMEM_PAGEMAP, shmid) === undefined) return [];
  const stored = new StoredPages(context, IMAGES.SHMEM_PAGEMAP, shmid, `shared memory ${shmid}`);
  return stored.runs(0, Number((bytes + BigInt(PAGE_SIZE) - 1n) / BigInt(PAGE_SIZE)), false, BigInt);
}

/** The pages of a task by address, of [start, end). */
export function privatePages(
  stored: StoredPages,
  start: bigint,
  end: bigint,
  zeros: boolean,
): Iterable<PageRun> {
  const unit = BigInt(PAGE_SIZE);
  return stored.runs(
    Number(start / unit),
    Number((end - start) / unit),
    zeros,
    (page) => BigInt(page) * unit,
  );
}

/** Whether the set has pages of a task at all. */
export function hasPages(set: CriuImageSet, pid: number): boolean {
  return set.image(IMAGES.PAGEMAP, pid) !== undefined;
}

/** Some pages of a store as bytes, read (and decompressed) when they are asked for. */
class PagesSource implements ByteSource {
  readonly size: number;

  constructor(
    readonly store: PageStore,
    readonly first: number,
    pages: number,
  ) {
    this.size = pages * PAGE_SIZE;
  }

  get name(): string {
    return this.store.fileOf(0);
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const out = Buffer.alloc(size);
    const from = this.first + Math.floor(offset / PAGE_SIZE);
    const to = this.first + Math.ceil((offset + size) / PAGE_SIZE);
    for (const runs of this.store.runs(from, to))
      for (const run of runs) {
        if (run.as !== "file" && run.as !== "compressed") continue;
        const at = (run.page - this.first) * PAGE_SIZE - offset;
        const skip = Math.max(0, -at);
        const length = Math.min(run.pages * PAGE_SIZE - skip, size - at - skip);
        this.store.bytesOf(run, skip, length).copy(out, at + skip);
      }
    return out;
  }

  close(): void {}
}
