import { setCredentials } from "../credentials.js";
import type { CredentialStep } from "../plan/credentials.js";
import { setDeathSignal } from "../thread.js";
import type { Builders } from "./builders.js";

/** MM.flags: whether the process may be dumped, linux/sched/coredump.h. */
const DUMPABLE = 3n;

export const CREDENTIALS: Builders<CredentialStep> = {
  credentials(context, { task, thread }) {
    const { process } = context.task(task);
    const { mm } = context.image.memory(process.objects?.mm_objref ?? 0);
    const remote = context.remote(task, thread.tid);
    setCredentials(remote, thread, Number(mm.flags & DUMPABLE));
    setDeathSignal(remote, thread);
  },
};
