import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { PAGEMAP_ENTRY, PAGEMAP_HEAD } from "../../../formats/criu/tables/pagemap.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { SourceRange } from "../../../io/concat.js";
import { FormatError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { ToCriu } from "./context.js";

/** The contents are in the pages file. */
const PE_PRESENT = 4;

/** Neighbouring pages whose contents stand one after the other in the stream. */
interface Run {
  /** Address of the first page, in bytes; in shared memory its offset. Below 2^53: addresses have 47 bits. */
  readonly start: number;
  end: number;
  readonly offset: number;
}

/** Saved pages as ranges of the stream, ascending by address. `keyBytes` is 1 for addresses, PAGE for page indexes. */
export class PageRuns {
  readonly #runs: Run[] = [];
  #sorted = true;

  constructor(readonly reader: StreamReader) {}

  /** Adds the page arrays of a part. Errors: FormatError for pages of another size. */
  add(part: Part, keyBytes: number): void {
    const { image } = this.reader;
    const { wordBytes } = image.dialect.arch;
    for (const { record, pages } of part.pageArrays) {
      const { offset, size } = image.payload(record);
      if (size !== pages * (wordBytes + PAGE_SIZE))
        throw image.error(
          record,
          `${pages} pages with addresses have ${pages * (wordBytes + PAGE_SIZE)} bytes, not ${size}`,
        );
      const keys = image.source.read(offset, pages * wordBytes);
      const first = offset + pages * wordBytes;
      for (let i = 0; i < pages; i++) {
        const key =
          image.byteOrder === "little-endian" ? keys.readBigUInt64LE(i * 8) : keys.readBigUInt64BE(i * 8);
        const start = Number(key) * keyBytes;
        if (start % PAGE_SIZE !== 0 || !Number.isSafeInteger(start + PAGE_SIZE))
          throw image.error(record, `page ${i} of it has the address 0x${key.toString(16)}`);
        this.#page(start, first + i * PAGE_SIZE);
      }
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
        `the page 0x${(this.#runs[twice] as Run).start.toString(16)} stands in it twice`,
        {
          file: this.reader.image.name,
          offset: (this.#runs[twice] as Run).offset,
        },
      );
    return this.#runs;
  }

  #page(start: number, offset: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.end === start && last.offset + (last.end - last.start) === offset) {
      last.end += PAGE_SIZE;
      return;
    }
    if (last !== undefined && start < last.end) this.#sorted = false;
    this.#runs.push({ start, end: start + PAGE_SIZE, offset });
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
      flags: PE_PRESENT,
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
