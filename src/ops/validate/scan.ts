import type { ImageHeader } from "../../formats/criu/detect.js";
import type { ImageKind } from "../../formats/criu/image-kind.js";
import { IMAGES } from "../../formats/criu/images.js";
import { addEntry, Pagemap } from "../../formats/criu/pagemap.js";
import type { PagemapEntry, PagemapHead } from "../../formats/criu/tables/pagemap.js";
import { type CrimgError, isCrimgError } from "../../io/errors.js";
import type { SetContext } from "./context.js";
import { type OddField, oddFields } from "./odd-fields.js";

/** One image file after all of it was read once. */
export interface ScannedImage {
  readonly name: string;
  /** By the file name. */
  readonly kind: ImageKind;
  readonly id: number | undefined;
  /** Undefined for raw images and when it cannot be read. */
  readonly header: ImageHeader | undefined;
  /** Records that could be read. */
  readonly records: number;
  readonly odd: readonly OddField[];
  readonly pagemap: ScannedPagemap | undefined;
}

export interface ScannedPagemap {
  /** The entries that could be read. */
  readonly entries: Pagemap;
  /** Record of each entry. */
  readonly record: readonly number[];
  /** Why the reading ended early. */
  readonly error: CrimgError | undefined;
}

/** At most so many odd fields are kept of one image. */
const MAX_ODD_FIELDS = 1000;

/** Reads every record of every image once. */
export function scanImages(context: SetContext): readonly ScannedImage[] {
  return context.set.files.flatMap(({ name, kind, id }) =>
    kind === undefined ? [] : [scanImage(context, name, kind, id)],
  );
}

function scanImage(context: SetContext, name: string, kind: ImageKind, id: number | undefined): ScannedImage {
  const { set } = context;
  const header = set.imageNamed(name)?.header;
  const odd: OddField[] = [];
  const isPagemap = kind === IMAGES.PAGEMAP || kind === IMAGES.SHMEM_PAGEMAP;
  const pagemap = isPagemap ? new PagemapScan(name) : undefined;
  let records = 0;
  for (const record of isPagemap ? set.streamNamed(name) : set.recordsNamed(name)) {
    records++;
    if (odd.length < MAX_ODD_FIELDS)
      for (const field of oddFields(record.table, record.value)) odd.push({ ...field, record: record.index });
    pagemap?.add(record.index, record.value, record.offset);
  }
  return { name, kind, id, header, records, odd, pagemap: pagemap?.result };
}

class PagemapScan {
  readonly #record: number[] = [];
  #entries: Pagemap | undefined;
  #error: CrimgError | undefined;

  constructor(readonly name: string) {}

  get result(): ScannedPagemap | undefined {
    if (this.#entries === undefined) return undefined;
    return { entries: this.#entries, record: this.#record, error: this.#error };
  }

  add(index: number, value: object, offset: number): void {
    if (index === 0) this.#entries = new Pagemap(this.name, (value as PagemapHead).pages_id);
    if (index === 0 || this.#entries === undefined || this.#error !== undefined) return;
    try {
      addEntry(this.#entries, value as PagemapEntry, offset);
      this.#record.push(index);
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      this.#error = error;
    }
  }
}
