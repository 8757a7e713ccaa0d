import { RECORDS } from "../../formats/linux-cr/records.js";
import type { SeccompFilter } from "../seccomp.js";
import type { StreamReader } from "./reader.js";

/** The SECCOMP_FILTERs before the first task. */
export function decodeSeccompFilters(reader: StreamReader): SeccompFilter[] {
  const { image } = reader;
  return (reader.tree.head?.records ?? [])
    .filter((record) => image.kind(record) === RECORDS.SECCOMP_FILTER)
    .map((record) => {
      const { filter_ref: id, prev_ref, flags } = image.value(record, RECORDS.SECCOMP_FILTER);
      return {
        ...{ id, previous: prev_ref === 0 ? undefined : prev_ref, flags, bytes: image.payload(record).size },
        program: () => image.bytes(record),
        origin: { ...reader.origin(record), field: "filter_ref" },
      };
    });
}

/** The fields of a SECCOMP_FILTER: 0 stands for none, so that the ids of a set, which begin with 0, are one more here. */
export function encodeSeccompFilter({ id, previous, flags }: SeccompFilter) {
  return { filter_ref: id + 1, prev_ref: previous === undefined ? 0 : previous + 1, flags };
}
