import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";

/** A SECCOMP_FILTER. */
export interface ImageFilter {
  /** struct sock_filter each. */
  readonly program: Buffer;
  readonly flags: number;
  /** The one that was installed before it, 0 for none. */
  readonly previous: number;
}

/** Seccomp filters of an image by their numbers. */
export class ImageFilters {
  #filters: Map<number, ImageFilter> | undefined;

  constructor(readonly reader: StreamReader) {}

  /** Errors: FormatError when there is none of that number. */
  get(ref: number): ImageFilter {
    this.#filters ??= this.#index();
    const filter = this.#filters.get(ref);
    if (filter === undefined) throw this.reader.image.error(0, `there is no SECCOMP_FILTER ${ref}`);
    return filter;
  }

  /** Numbers from the oldest to this one; empty for 0. Errors: FormatError when they run in a circle. */
  chain(last: number): number[] {
    const refs: number[] = [];
    for (let ref = last; ref !== 0; ref = this.get(ref).previous) {
      if (refs.includes(ref)) throw this.reader.image.error(0, `SECCOMP_FILTER ${ref} comes before itself`);
      refs.push(ref);
    }
    return refs.reverse();
  }

  #index(): Map<number, ImageFilter> {
    const { image } = this.reader;
    const filters = new Map<number, ImageFilter>();
    for (const record of this.reader.tree.head?.records ?? []) {
      if (image.kind(record) !== RECORDS.SECCOMP_FILTER) continue;
      const value = image.value(record, RECORDS.SECCOMP_FILTER);
      filters.set(value.filter_ref, {
        program: image.bytes(record),
        flags: value.flags,
        previous: value.prev_ref,
      });
    }
    return filters;
  }
}
