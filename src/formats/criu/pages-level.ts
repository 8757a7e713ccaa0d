import path from "node:path";
import { FormatError } from "../../io/errors.js";
import { type ByteSource, readOver } from "../../io/source.js";
import { ReadWindow } from "../../io/window.js";
import { pageFormat } from "./compressed-pages.js";
import { fileNameOf } from "./detect.js";
import type { CriuImageSet } from "./image-set.js";
import { IMAGES } from "./images.js";
import { readPagemap } from "./pagemap.js";
import { PageLayout } from "./pages-layout.js";

/** Image kinds that are pagemaps: of tasks, and of shared segments. */
export type PagemapKind = typeof IMAGES.PAGEMAP | typeof IMAGES.SHMEM_PAGEMAP;

/** One set of an incremental chain, for one pagemap. */
export class Level {
  #pages: ByteSource | undefined;
  #window: ReadWindow | undefined;

  constructor(
    readonly set: CriuImageSet,
    readonly depth: number,
    readonly layout: PageLayout,
  ) {}

  /** The pages file. Errors: FormatError MISSING. */
  get pages(): ByteSource {
    if (this.#pages === undefined) {
      const { pagesId, file } = this.layout.pagemap;
      const name = fileNameOf(IMAGES.PAGES, pagesId);
      this.#pages = this.set.fileSet.open(name);
      if (this.#pages === undefined)
        throw new FormatError("MISSING", `missing (referenced by ${file})`, {
          file: path.join(this.set.name, name),
        });
    }
    return this.#pages;
  }

  read(offset: number, length: number): Buffer {
    return this.pages.read(offset, length);
  }

  readOver(into: Buffer, offset: number): void {
    readOver(this.pages, into, offset);
  }

  /** For reading on; the bytes are valid until the next one. */
  readAhead(offset: number, length: number): Buffer {
    this.#window ??= new ReadWindow(this.pages, true);
    return this.#window.read(offset, length);
  }

  /** Errors: FormatError TRUNCATED if the pages file ends before these bytes. */
  checkInFile(index: number, page: number, offset: number, length: number): void {
    if (offset + length <= this.pages.size) return;
    const { pagemap, pageSize } = this.layout;
    const address = `0x${(BigInt(page) * BigInt(pageSize)).toString(16)}`;
    throw new FormatError(
      "TRUNCATED",
      `truncated: found ${this.pages.size} bytes (expected at least ${offset + length} for the pages at ${address}, ${pagemap.file}[${index + 1}])`,
      { file: this.pages.name, offset },
    );
  }
}

/** Reads one pagemap of a set; undefined if the set has none. Errors: FormatError. */
export function openLevel(
  set: CriuImageSet,
  kind: PagemapKind,
  id: number,
  pageSize: number,
  depth: number,
): Level | undefined {
  const image = set.image(kind, id);
  if (image === undefined) return undefined;
  return new Level(set, depth, new PageLayout(readPagemap(image), pageSize, pageFormat(set)));
}
