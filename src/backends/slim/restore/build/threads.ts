import { CLONE_AS_THREAD, clone } from "../clone.js";
import type { ThreadStep } from "../plan/threads.js";
import { setUpThread } from "../thread.js";
import type { Builders } from "./builders.js";

export const THREADS: Builders<ThreadStep> = {
  thread(context, { task, thread: { tid } }) {
    const { remote, remotes } = context.task(task);
    remotes.set(tid, remote.for(clone(remote, tid, CLONE_AS_THREAD, 0)));
  },
  "set up thread": (context, { task, thread }) => setUpThread(context.remote(task, thread.tid), thread),
};
