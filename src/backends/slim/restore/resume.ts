import { isCrimgError } from "../../../io/errors.js";
import { readVmas } from "../proc/mappings.js";
import { readStat } from "../proc/stat.js";
import { syscallSite } from "../ptrace/parasite-area.js";
import { waitFor } from "../ptrace/wait.js";
import { withRightsOf } from "../sys/file-user.js";
import { finishThread } from "../tasks/apply-thread.js";
import type { Appliers } from "./context.js";
import type { LifeStep } from "./plan.js";

/** All threads stop within microseconds once the last of them is let go. */
const STOP_SECONDS = 2;

export const LIFE: Appliers<LifeStep> = {
  registers(context, { task, thread }) {
    const remote = context.remote(task, thread.tid);
    if (thread.tid !== task) {
      finishThread(remote, thread);
      return;
    }
    const site = syscallSite(remote.tracee, readVmas(task));
    finishThread(remote, thread, () => remote.remove(site));
  },
  "note substitutes": ({ files }) => withRightsOf(files.user, () => files.deleted.note()),
  "remove substitutes": ({ files }) => withRightsOf(files.user, () => files.deleted.end()),
  outlive(context) {
    // One call after the other, the root last: killed within these microseconds, crimg takes those with it that it still may.
    for (const { process, remotes } of [...context.tasks.values()].reverse())
      if (process.exitStatus === undefined) for (const { tracee } of remotes.values()) tracee.outlive();
  },
  "close files": ({ files }) => files.close(),
  "leave stopped"(context, { task }) {
    const { remotes } = context.task(task);
    for (const { tracee } of remotes.values()) tracee.detach();
    for (const tid of remotes.keys()) awaitStopped(task, tid);
  },
  resume(context, { task }) {
    const { remotes } = context.task(task);
    for (const { tracee } of remotes.values()) tracee.detach();
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
