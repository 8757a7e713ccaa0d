import path from "node:path";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { pagemapsOf } from "../../formats/criu/pages.js";
import type { PageStore } from "../../formats/criu/pages-store.js";
import { FormatError } from "../../io/errors.js";
import type { MemoryLocation, MemoryPiece, MemoryRun, StoredMemory, StoredPages } from "../memory.js";

/** Which pagemap, as `task 1000`, a pages file was read for. */
type Owners = Map<string, string>;

/**
 * The pages of tasks and shared segments, over all sets of an incremental chain. A pages file that belongs to two pagemaps is
 * an error when it is read again: thousands of pagemaps could name one file.
 */
export function* criuStoredMemory(set: CriuImageSet): Generator<StoredMemory> {
  const owners: Owners = new Map();
  for (const { isOfTask, id, open } of pagemapsOf(set))
    yield {
      pid: isOfTask ? id : undefined,
      segment: isOfTask ? undefined : id,
      pages: () => new PagesOfStore(open(), `${isOfTask ? "task" : "segment"} ${id}`, owners),
    };
}

class PagesOfStore implements StoredPages {
  constructor(
    readonly store: PageStore,
    readonly owner: string,
    readonly owners: Owners,
  ) {}

  get pageSize(): number {
    return this.store.pageSize;
  }

  get image(): string {
    return path.basename(this.store.fileOf(0));
  }

  *runs(): Generator<MemoryRun> {
    for (const run of this.store.all()) {
      const { page, pages } = run;
      yield Object.assign(this.store.location(run, 0), { address: this.#address(page), pages });
    }
  }

  *pieces(): Generator<MemoryPiece> {
    let level = -1;
    for (const run of this.store.all()) {
      if (run.level !== level && (run.as === "file" || run.as === "compressed")) {
        level = run.level;
        this.#own(this.store.fileOf(level));
      }
      const where = run.as === "hole" ? "zero" : run.as;
      if (where === "file" || where === "compressed")
        for (const { page, pages, bytes } of this.store.piecesOf(run))
          yield { address: this.#address(page), pages, where, bytes };
      else yield { address: this.#address(run.page), pages: run.pages, where, bytes: undefined };
    }
  }

  locate(address: bigint): MemoryLocation {
    const unit = BigInt(this.pageSize);
    const page = Number(address / unit);
    for (const runs of this.store.runs(page, page + 1))
      for (const run of runs) return this.store.location(run, Number(address % unit));
    return { where: "zero" };
  }

  /** Errors: FormatError for a file of another pagemap. */
  #own(file: string): void {
    const owner = this.owners.get(file);
    if (owner === undefined) this.owners.set(file, this.owner);
    else if (owner !== this.owner)
      throw new FormatError(
        "INVALID",
        `the pages of ${this.owner} are those of ${owner} (expected a pages file of its own)`,
        { file },
      );
  }

  #address(page: number): bigint {
    return BigInt(page) * BigInt(this.pageSize);
  }
}
