import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { SeccompEntry } from "../../formats/criu/tables/seccomp.js";
import type { SeccompFilter } from "../seccomp.js";

/** The filters of seccomp.img; their ids are their places in it. */
export function decodeSeccompFilters(set: CriuImageSet): SeccompFilter[] {
  const stored = set.first(IMAGES.SECCOMP)?.seccomp_filters ?? [];
  return stored.map(({ filter, prev, flags = 0 }, id) => ({
    ...{ id, previous: prev, flags, bytes: filter.length },
    program: () => Buffer.from(filter),
    origin: { image: IMAGES.SECCOMP.file, record: 0, field: `seccomp_filters[${id}]` },
  }));
}

/** seccomp.img; a filter whose predecessor is lost has none there. */
export function encodeSeccompFilters(filters: readonly SeccompFilter[]): SeccompEntry {
  const places = new Map(filters.map(({ id }, place) => [id, place]).reverse() as [number, number][]);
  return {
    seccomp_filters: filters.map(({ previous, flags, program }) => {
      const prev = previous === undefined ? undefined : places.get(previous);
      return { filter: program(), ...(prev === undefined ? {} : { prev }), flags };
    }),
  };
}
