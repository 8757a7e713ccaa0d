import path from "node:path";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { READ_WINDOW_BYTES } from "../../io/limits.js";
import { ReadWindow } from "../../io/window.js";
import type { MemoryLocation, MemoryPiece, MemoryRun, StoredMemory, StoredPages } from "../memory.js";
import type { StreamReader } from "./reader.js";
import { SavedPages } from "./saved-pages.js";
import { type Segments, sharesPages } from "./segments.js";

/** The saved pages of mappings, and those of segments; `pidOf` gives the first task with the address space of a number. */
export function* linuxCrStoredMemory(
  reader: StreamReader,
  segments: Segments,
  pidOf: (memoryRef: number) => number | undefined,
): Generator<StoredMemory> {
  for (const mm of reader.objects("MM"))
    for (const part of mm.parts)
      if (part.pageArrays.length > 0 && !sharesPages(reader.get(part, RECORDS.VMA).value))
        yield {
          pid: pidOf(mm.objref ?? 0),
          segment: undefined,
          pages: () => new PagesOfStream(reader, new SavedPages(reader, part, "addresses")),
        };
  for (const segment of segments.all())
    yield {
      pid: undefined,
      segment,
      pages: () => new PagesOfStream(reader, segments.pages(segment) as SavedPages),
    };
}

class PagesOfStream implements StoredPages {
  readonly pageSize: number;
  readonly image: string;
  readonly #window: ReadWindow;

  constructor(
    { image }: StreamReader,
    readonly saved: SavedPages,
  ) {
    this.pageSize = saved.pageSize;
    this.image = path.basename(image.name);
    this.#window = new ReadWindow(image.source, true);
  }

  *runs(): Generator<MemoryRun> {
    for (const { page, pages, offset } of this.saved.all())
      yield { where: "file", file: this.image, offset, level: 0, address: this.#address(page), pages };
  }

  *pieces(): Generator<MemoryPiece> {
    const atOnce = Math.max(1, Math.floor(READ_WINDOW_BYTES / this.pageSize));
    for (const run of this.saved.all())
      for (let done = 0; done < run.pages; done += atOnce) {
        const pages = Math.min(atOnce, run.pages - done);
        const bytes = this.#window.read(run.offset + done * this.pageSize, pages * this.pageSize);
        yield { address: this.#address(run.page + done), pages, where: "file", bytes };
      }
  }

  locate(address: bigint): MemoryLocation {
    const unit = BigInt(this.pageSize);
    const page = Number(address / unit);
    for (const { offset } of this.saved.runs(page, page + 1, this.pageSize))
      if (offset !== undefined)
        return { where: "file", file: this.image, offset: offset + Number(address % unit), level: 0 };
    return { where: "zero" };
  }

  #address(page: number): bigint {
    return BigInt(page) * BigInt(this.pageSize);
  }
}
