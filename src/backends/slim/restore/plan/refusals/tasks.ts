import type { Host } from "../../host.js";
import { type Image, liveProcesses, tableOwners } from "../../image.js";
import type { ImageProcess } from "../../image-task.js";
import { cloneOrderOf } from "../family.js";
import { unsupportedTree } from "../tree.js";

const MIN_ID = 1;

/** Tasks that cannot be made as they were. */
export function unsupportedTasks(image: Image, host: Host): string[] {
  const [root] = image.processes;
  if (root === undefined) return ["the checkpoint has no tasks"];
  return [
    ...(root.exitStatus === undefined ? [] : [`task ${root.ids.pid}, the root of the tree, had ended`]),
    ...strangers(image.processes, root),
    ...unsupportedIds(image, host),
    ...unsupportedTree(image, host),
    ...unsupportedSharing(image),
    ...unsupportedTables(image, host),
  ];
}

/** Tasks that do not descend from the root. */
function strangers(processes: readonly ImageProcess[], root: ImageProcess): string[] {
  const parents = new Map(processes.map(({ ids }) => [ids.pid, ids.ppid]));
  return processes.flatMap(({ ids: { pid, ppid } }) =>
    pid === root.ids.pid || (parents.has(ppid) && ppid !== pid)
      ? []
      : [
          `task ${pid} is a child of ${ppid === 0 ? "nobody" : `task ${ppid}`} in the checkpoint, not of another task of it`,
        ],
  );
}

function unsupportedIds({ processes }: Image, { pidMax }: Host): string[] {
  const seen = new Set<number>();
  return processes.flatMap(({ ids: { pid }, threads }) =>
    [...new Set([pid, ...threads.map(({ tid }) => tid)])].flatMap((id) => {
      const isTwice = seen.has(id);
      seen.add(id);
      if (id < MIN_ID) return [`a task has the id ${id}, which no task can have`];
      if (isTwice) return [`the id ${id} belongs to two tasks of the checkpoint`];
      return id >= pidMax
        ? [`task ${id}: ids end at ${pidMax - 1} on this host: raise /proc/sys/kernel/pid_max`]
        : [];
    }),
  );
}

/** What threads share and processes here do not: clone(2) without CLONE_THREAD. */
const SHARED = [
  ["mm_objref", "their memory"],
  ["fs_objref", "their working directory"],
  ["sighand_objref", "their signal actions"],
] as const;

function unsupportedSharing(image: Image): string[] {
  return SHARED.flatMap(([field, what]) => {
    const owners = new Map<number, number>();
    return liveProcesses(image).flatMap(({ process, objects }) => {
      const objref = objects[field] ?? 0;
      const other = owners.get(objref);
      if (objref === 0) return [];
      if (other === undefined) owners.set(objref, process.ids.pid);
      return other === undefined
        ? []
        : [`tasks ${other} and ${process.ids.pid} share ${what} without being threads`];
    });
  });
}

/** A table of descriptors is shared with the task that another is cloned from, or it cannot be. */
function unsupportedTables(image: Image, host: Host): string[] {
  const makers = new Map(
    cloneOrderOf(image, host).steps.flatMap((step) =>
      step.kind === "task" ? [[step.task, step.sharesTable] as const] : [],
    ),
  );
  const owners = new Map(
    tableOwners(image).map(({ process, objects }) => [objects.files_objref, process.ids.pid]),
  );
  return liveProcesses(image).flatMap(({ process: { ids }, objects }) => {
    const owner = owners.get(objects.files_objref);
    return owner === ids.pid || makers.get(ids.pid) !== false
      ? []
      : [`tasks ${owner} and ${ids.pid} share their table of descriptors, and neither was made by the other`];
  });
}
