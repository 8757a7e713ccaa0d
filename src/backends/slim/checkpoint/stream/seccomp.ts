import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { ProcessState } from "../process.js";
import type { CheckpointContext } from "./context.js";

/** Numbers of the last SECCOMP_FILTER of each thread, by tid; threads without filters are not in it. */
export type LastFilters = ReadonlyMap<number, number>;

/** SECCOMP_FILTER of all threads, before the first TASK: what several have in common, as after fork(2), stands there once. */
export function writeSeccompFilters(
  { writer }: CheckpointContext,
  processes: Iterable<ProcessState>,
): LastFilters {
  const last = new Map<number, number>();
  const known = new Map<string, number>();
  for (const { threads } of processes)
    for (const { tid, filters } of threads) {
      let previous = 0;
      for (const { program, flags } of filters) {
        const key = `${previous} ${flags} ${program.toString("hex")}`;
        const ref = known.get(key) ?? known.size + 1;
        if (!known.has(key)) {
          writer.record(RECORDS.SECCOMP_FILTER, { filter_ref: ref, prev_ref: previous, flags }, program);
          known.set(key, ref);
        }
        previous = ref;
      }
      if (previous !== 0) last.set(tid, previous);
    }
  return last;
}
