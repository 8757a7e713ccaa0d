import { SECCOMP_MODE_STRICT } from "../../../../linux/seccomp.js";
import type { SeccompStep } from "../plan/seccomp.js";
import { beStrict, FOR_ALL_THREADS, installFilter, suspendFilters } from "../seccomp.js";
import type { Builders } from "./builders.js";

export const SECCOMP: Builders<SeccompStep> = {
  "seccomp of all"(work, { task, filters }) {
    const { bench, benches } = work.site(task);
    for (const each of benches.values()) suspendFilters(each);
    for (const ref of filters) installFilter(bench, work.image.filter(ref), FOR_ALL_THREADS);
  },
  seccomp(work, { task, thread, filters }) {
    const bench = work.bench(task, thread.tid);
    suspendFilters(bench);
    for (const ref of filters) installFilter(bench, work.image.filter(ref), 0);
    if (thread.extra?.seccomp_mode === SECCOMP_MODE_STRICT) beStrict(bench);
  },
};
