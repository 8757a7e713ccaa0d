import { IMAGES } from "../../formats/criu/images.js";
import { shellCommand } from "../../io/shell.js";
import type { CriuDocument } from "../../model/document.js";
import { type HostProcess, hostProcess, takenPids } from "../processes.js";

/** After a checkpoint or a failed restore the old tasks are zombies until their parent waits: about a second. */
const ZOMBIE_SECONDS = 5;

/** Waits for zombies that have pids of the tasks. Returns the processes that have one after that, as seen on the host. */
export async function zombiesGone(document: CriuDocument): Promise<HostProcess[]> {
  if (hasPidNamespace(document)) return [];
  const { tasks } = document.checkpoint;
  const pids = new Set(tasks.flatMap(({ pid, threads }) => [pid, ...threads.map(({ tid }) => tid)]));
  return takenPids([...pids], ZOMBIE_SECONDS);
}

/** Why a pid of the tasks is not free, after waiting for zombies; undefined if all are free. `given`: as for a restart. */
export async function takenReason(
  document: CriuDocument,
  given: readonly string[],
): Promise<string | undefined> {
  const [taken] = await zombiesGone(document);
  if (taken === undefined) return undefined;
  const task = document.checkpoint.task(taken.pid);
  const wanted = `pid ${taken.pid}${task === undefined ? "" : ` (${task.comm})`} is taken`;
  if (taken.state !== "Z")
    return `${wanted} by running process ${taken.comm}; end it, or restore in a new pid namespace: unshare --pid --fork --mount-proc ${shellCommand(["crimg", "restore", document.name, ...given])}`;
  const parent = hostProcess(taken.ppid);
  return `${wanted} by a zombie, until its parent ${taken.ppid}${parent === undefined ? "" : ` (${parent.comm})`} waits for it or ends`;
}

/** Whether criu creates a pid namespace, in which every pid is free. */
function hasPidNamespace(document: CriuDocument): boolean {
  const root = document.checkpoint.tasks[0]?.pid;
  const ids = document.set.first(IMAGES.INVENTORY)?.root_ids;
  const own = root === undefined ? undefined : document.set.first(IMAGES.IDS, root);
  return ids?.pid_ns_id !== undefined && own?.pid_ns_id !== undefined && ids.pid_ns_id !== own.pid_ns_id;
}
