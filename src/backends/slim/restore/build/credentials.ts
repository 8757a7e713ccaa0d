import { setCredentials } from "../credentials.js";
import type { CredentialStep } from "../plan/credentials.js";
import { setDeathSignal } from "../thread.js";
import type { Builders } from "./builders.js";

/** MM.flags: whether the process may be dumped, linux/sched/coredump.h. */
const DUMPABLE = 3n;

export const CREDENTIALS: Builders<CredentialStep> = {
  credentials(work, { task, thread }) {
    const { process } = work.site(task);
    const { mm } = work.image.memory(process.objects?.mm_objref ?? 0);
    const bench = work.bench(task, thread.tid);
    setCredentials(bench, thread, Number(mm.flags & DUMPABLE));
    setDeathSignal(bench, thread);
  },
};
