import path from "node:path";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { pagemapsOf } from "../../formats/criu/pages.js";
import type { PageStore } from "../../formats/criu/pages-store.js";
import type { MemoryLocation, MemoryPiece, MemoryRun, StoredMemory, StoredPages } from "../memory.js";

/** The pages of tasks and shared segments, over all sets of an incremental chain. */
export function* criuStoredMemory(set: CriuImageSet): Generator<StoredMemory> {
  for (const { isOfTask, id, open } of pagemapsOf(set))
    yield {
      pid: isOfTask ? id : undefined,
      segment: isOfTask ? undefined : id,
      pages: () => new PagesOfStore(open()),
    };
}

class PagesOfStore implements StoredPages {
  constructor(readonly store: PageStore) {}

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
    for (const run of this.store.all()) {
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

  #address(page: number): bigint {
    return BigInt(page) * BigInt(this.pageSize);
  }
}
