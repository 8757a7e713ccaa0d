import type { ImageHeader } from "../../formats/criu/detect.js";
import type { ImageKind } from "../../formats/criu/image-kind.js";
import { IMAGES } from "../../formats/criu/images.js";
import { addEntry, Pagemap } from "../../formats/criu/pagemap.js";
import { CORE_ENTRY_MARCH } from "../../formats/criu/tables/core.js";
import type { PagemapEntry, PagemapHead } from "../../formats/criu/tables/pagemap.js";
import { type CrimgError, isCrimgError } from "../../io/errors.js";
import type { Machine } from "../../schema/field-domain.js";
import { hasDomains, type OutsideValue, outsideValues } from "../../schema/outside-values.js";
import type { SetContext } from "./context.js";
import { type OddField, oddFields } from "./odd-fields.js";
import { tasksOf } from "./tasks.js";

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
  /** Fields whose values the kernel does not take. */
  readonly outside: readonly (OutsideValue & { readonly record: number })[];
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

/** At most so many odd fields, and fields with odd values, are kept of one image. */
const MAX_ODD_FIELDS = 1000;

/** Reads every record of every image once. */
export function scanImages(context: SetContext): readonly ScannedImage[] {
  const machine = machineOf(context);
  return context.set.files.flatMap(({ name, kind, id }) =>
    kind === undefined ? [] : [scanImage(context, name, kind, id, machine)],
  );
}

/** What the domains of the fields of a set depend on. */
function machineOf(context: SetContext): Machine {
  const type = context.share(tasksOf)[0]?.core?.mtype;
  return { wordBytes: type === CORE_ENTRY_MARCH.values.get("ARM") ? 4 : 8 };
}

function scanImage(
  context: SetContext,
  name: string,
  kind: ImageKind,
  id: number | undefined,
  machine: Machine,
): ScannedImage {
  const { set } = context;
  const header = set.imageNamed(name)?.header;
  const odd: OddField[] = [];
  const outside: (OutsideValue & { record: number })[] = [];
  const isPagemap = kind === IMAGES.PAGEMAP || kind === IMAGES.SHMEM_PAGEMAP;
  const pagemap = isPagemap ? new PagemapScan(name) : undefined;
  let records = 0;
  for (const record of isPagemap ? set.streamNamed(name) : set.recordsNamed(name)) {
    records++;
    if (odd.length < MAX_ODD_FIELDS)
      for (const field of oddFields(record.table, record.value)) odd.push({ ...field, record: record.index });
    if (hasDomains(record.table) && outside.length < MAX_ODD_FIELDS)
      for (const field of outsideValues(record.table, record.value, machine))
        outside.push({ ...field, record: record.index });
    pagemap?.add(record.index, record.value, record.offset);
  }
  return { name, kind, id, header, records, odd, outside, pagemap: pagemap?.result };
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
