import { CLONE_AS_THREAD, clone } from "../clone.js";
import type { ThreadStep } from "../plan/threads.js";
import { setUpThread } from "../thread.js";
import type { Builders } from "./builders.js";

export const THREADS: Builders<ThreadStep> = {
  thread(work, { task, thread: { tid } }) {
    const { bench, benches } = work.site(task);
    benches.set(tid, bench.for(clone(bench, tid, CLONE_AS_THREAD, 0)));
  },
  "set up thread": (work, { task, thread }) => setUpThread(work.bench(task, thread.tid), thread),
};
