import { isCrimgError } from "../../../../io/errors.js";
import { readAreas } from "../../proc/mappings.js";
import { readStat } from "../../proc/stat.js";
import { syscallSite } from "../../ptrace/restorer.js";
import { waitFor } from "../../ptrace/wait.js";
import type { LifeStep } from "../plan/life.js";
import { finishThread } from "../thread.js";
import type { Builders } from "./builders.js";

/** All threads stop within microseconds once the last of them is let go. */
const STOP_SECONDS = 2;

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
  "leave stopped"(work, { task }) {
    const { benches } = work.site(task);
    for (const { tracee } of benches.values()) tracee.detach();
    for (const tid of benches.keys()) awaitStopped(task, tid);
  },
  resume(work, { task }) {
    const { benches } = work.site(task);
    for (const { tracee } of benches.values()) tracee.detach();
  },
};

/** Somebody may continue or kill it at once: that is no failure of the restart. */
function awaitStopped(pid: number, tid: number): void {
  try {
    waitFor(`thread ${tid} does not stop`, STOP_SECONDS, () =>
      readStat(`${pid}/task/${tid}`).state === "T" ? true : undefined,
    );
  } catch (error) {
    if (!isCrimgError(error)) throw error;
  }
}
