import { IMAGES } from "../../formats/criu/images.js";
import type { CriuDocument } from "../../model/document.js";
import { type HostProcess, hostProcess, takenPids } from "../processes.js";

/** After a checkpoint or a failed restore the old tasks are zombies until their parent looks: about a second. */
const ZOMBIE_SECONDS = 5;

/** Waits for zombies that still have pids of the tasks. Gives who has one after that, as a host sees it. */
export async function zombiesGone(document: CriuDocument): Promise<HostProcess[]> {
  if (hasPidNamespace(document)) return [];
  const { tasks } = document.checkpoint;
  const pids = new Set(tasks.flatMap(({ pid, threads }) => [pid, ...threads.map(({ tid }) => tid)]));
  return takenPids([...pids], ZOMBIE_SECONDS);
}

/** Why a pid of the tasks is not free, once zombies had their time; undefined when all are. */
export async function takenReason(document: CriuDocument): Promise<string | undefined> {
  const [taken] = await zombiesGone(document);
  if (taken === undefined) return undefined;
  const task = document.checkpoint.task(taken.pid);
  const wanted = `pid ${taken.pid}${task === undefined ? "" : ` (${task.comm})`} is taken`;
  if (taken.state !== "Z")
    return `${wanted} by the running ${taken.comm}: it must end first, or restore in a pid namespace of its own with unshare --pid --fork --mount-proc crimg restore`;
  const parent = hostProcess(taken.ppid);
  return `${wanted} by a zombie, which stays until its parent ${taken.ppid}${parent === undefined ? "" : ` (${parent.comm})`} waits for it or ends`;
}

/** Whether criu makes a pid namespace, in which every pid is free. */
function hasPidNamespace(document: CriuDocument): boolean {
  const root = document.checkpoint.tasks[0]?.pid;
  const ids = document.set.first(IMAGES.INVENTORY)?.root_ids;
  const own = root === undefined ? undefined : document.set.first(IMAGES.IDS, root);
  return ids?.pid_ns_id !== undefined && own?.pid_ns_id !== undefined && ids.pid_ns_id !== own.pid_ns_id;
}
