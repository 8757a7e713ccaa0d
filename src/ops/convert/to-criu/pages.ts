import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { PAGEMAP_FLAG } from "../../../formats/criu/names.js";
import { PAGEMAP_ENTRY, PAGEMAP_HEAD } from "../../../formats/criu/tables/pagemap.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { SourceRange } from "../../../io/concat.js";
import { FormatError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { pageSizeOf, SavedPages } from "../../../model/linux-cr/saved-pages.js";
import type { ToCriu } from "./context.js";

/** Neighbouring pages whose contents stand one after the other in the stream. */
interface Run {
  /** Address of the first page, in bytes; in shared memory its offset. Below 2^53: addresses have 47 bits. */
  readonly start: number;
  end: number;
  readonly offset: number;
}

/** Saved pages of several parts as ranges of the stream, ascending by address. */
export class PageRuns {
  readonly #runs: Run[] = [];
  #sorted = true;

  constructor(readonly reader: StreamReader) {}

  /** Adds the pages of a part. Errors: FormatError for pages of another size, or saved twice. */
  add(part: Part, keys: "addresses" | "indexes"): void {
    const saved = new SavedPages(this.reader, part, keys);
    if (pageSizeOf(this.reader) !== PAGE_SIZE)
      throw this.reader.image.error(part.records[0] ?? 0, `its pages are not of ${PAGE_SIZE} bytes`);
    for (const { page, pages, offset } of saved.all()) {
      const start = page * PAGE_SIZE;
      const last = this.#runs.at(-1);
      if (last !== undefined && last.end === start && last.offset + (last.end - last.start) === offset) {
        last.end += pages * PAGE_SIZE;
        continue;
      }
      if (last !== undefined && start < last.end) this.#sorted = false;
      this.#runs.push({ start, end: start + pages * PAGE_SIZE, offset });
    }
  }

  /** Errors: FormatError when a page was saved twice. */
  runs(): readonly Run[] {
    if (!this.#sorted) this.#runs.sort((a, b) => a.start - b.start);
    this.#sorted = true;
    const twice = this.#runs.findIndex((run, i) => i > 0 && run.start < (this.#runs[i - 1] as Run).end);
    if (twice !== -1)
      throw new FormatError(
        "INVALID",
        `page 0x${(this.#runs[twice] as Run).start.toString(16)} is saved twice`,
        {
          file: this.reader.image.name,
          offset: (this.#runs[twice] as Run).offset,
        },
      );
    return this.#runs;
  }
}

/** Writes a pagemap with its pages file. `id` is the pid, or the number of a shared segment. */
export function writePages(context: ToCriu, kind: ImageKind, id: number, pages: PageRuns): void {
  const { set, reader } = context;
  const pagesId = context.newPagesId();
  set.add(kind, id, PAGEMAP_HEAD, { pages_id: pagesId });
  set.open(IMAGES.PAGES, pagesId);
  let entry: { start: number; end: number } | undefined;
  const flush = (): void => {
    if (entry === undefined) return;
    const count = (entry.end - entry.start) / PAGE_SIZE;
    set.add(kind, id, PAGEMAP_ENTRY, {
      vaddr: BigInt(entry.start),
      // Both, so that criu before and after 4.2 can read it.
      compat_nr_pages: count <= 0xffffffff ? count : 0,
      flags: PAGEMAP_FLAG.PE_PRESENT,
      nr_pages: BigInt(count),
      compressed_size: [],
    });
  };
  for (const { start, end } of pages.runs()) {
    if (entry?.end === start) entry.end = end;
    else {
      flush();
      entry = { start, end };
    }
  }
  flush();
  set.append(IMAGES.PAGES, pagesId, rangesOf(reader.image.source, pages.runs()));
}

/** Where the contents of runs stand: those of different addresses often stand side by side. */
function* rangesOf(source: ByteSource, runs: readonly Run[]): Generator<SourceRange> {
  let [from, to] = [0, 0];
  for (const { start, end, offset } of runs) {
    if (offset !== to) {
      if (to > from) yield { source, offset: from, size: to - from };
      from = offset;
    }
    to = offset + (end - start);
  }
  if (to > from) yield { source, offset: from, size: to - from };
}
