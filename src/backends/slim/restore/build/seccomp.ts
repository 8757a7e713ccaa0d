import { SECCOMP_MODE_STRICT } from "../../../../linux/seccomp.js";
import type { SeccompStep } from "../plan/seccomp.js";
import { enterStrictMode, FOR_ALL_THREADS, installFilter, suspendFilters } from "../seccomp.js";
import type { Builders } from "./builders.js";

export const SECCOMP: Builders<SeccompStep> = {
  "seccomp of all"(context, { task, filters }) {
    const { remote, remotes } = context.task(task);
    for (const each of remotes.values()) suspendFilters(each);
    for (const ref of filters) installFilter(remote, context.image.filter(ref), FOR_ALL_THREADS);
  },
  seccomp(context, { task, thread, filters }) {
    const remote = context.remote(task, thread.tid);
    suspendFilters(remote);
    for (const ref of filters) installFilter(remote, context.image.filter(ref), 0);
    if (thread.extra?.seccomp_mode === SECCOMP_MODE_STRICT) enterStrictMode(remote);
  },
};
