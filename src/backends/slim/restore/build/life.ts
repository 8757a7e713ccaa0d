import { readAreas } from "../../proc/mappings.js";
import { syscallSite } from "../../ptrace/restorer.js";
import type { LifeStep } from "../plan/life.js";
import { finishThread } from "../thread.js";
import type { Builders } from "./builders.js";

export const LIFE: Builders<LifeStep> = {
  registers(work, { task, thread }) {
    const bench = work.bench(task, thread.tid);
    if (thread.tid !== task) {
      finishThread(bench, thread);
      return;
    }
    const site = syscallSite(bench.tracee, readAreas(task));
    finishThread(bench, thread, () => bench.remove(site));
  },
  "note substitutes": ({ files }) => files.deleted.note(),
  "remove substitutes": ({ files }) => files.deleted.end(),
  outlive(work) {
    // One call after the other, the root last: killed within these microseconds, crimg takes those with it that it still may.
    for (const { process, benches } of [...work.sites.values()].reverse())
      if (process.exitStatus === undefined) for (const { tracee } of benches.values()) tracee.outlive();
  },
  "close files": ({ files }) => files.close(),
  resume(work, { task }) {
    const { benches } = work.site(task);
    for (const { tracee } of benches.values()) tracee.detach();
  },
};
