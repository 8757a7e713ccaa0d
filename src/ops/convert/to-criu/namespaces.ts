import { IMAGES } from "../../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../../formats/criu/tables/core.js";
import { UTSNS_ENTRY } from "../../../formats/criu/tables/ns.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { encodeUtsNamespace } from "../../../model/criu/ipc.js";
import { decodeUtsNamespaces } from "../../../model/linux-cr/ipc.js";
import type { ToCriu } from "./context.js";
import { writeIpc } from "./ipc.js";

/** What inventory.img says of criu itself: tasks with the same numbers share its namespaces and need no images of them. */
export const ROOT_IDS = {
  ...{ vm_id: 1, files_id: 1, fs_id: 1, sighand_id: 1 },
  ...{ pid_ns_id: 1, net_ns_id: 2, ipc_ns_id: 3, uts_ns_id: 4 },
  ...{ time_ns_id: 5, mnt_ns_id: 6, user_ns_id: 7, cgroup_ns_id: 8 },
} satisfies TaskKobjIdsEntry;

const OWN_UTS = 9;
const OWN_IPC = 10;
/** HEADER.uflags: the checkpoint is of a subtree of processes, not of a container. */
const SUBTREE = 1n;

/** Namespaces of all tasks, which are those of the root task: criu lets tasks of one set differ in few. */
export type NamespaceIds = Pick<TaskKobjIdsEntry, "uts_ns_id" | "ipc_ns_id">;

/**
 * Writes the images of the namespaces that the tasks have of their own. A kernel of 2011 stores the host's name in every
 * image; only a container had one of its own.
 */
export function writeNamespaces(context: ToCriu): NamespaceIds {
  const { reader, losses } = context;
  const seen = new Set<number>();
  for (const { part } of context.processes()) {
    const found = reader.find(part, RECORDS.TASK_NS);
    if (found !== undefined) seen.add(found.value.ns_objref);
  }
  const [first, ...others] = [...seen].flatMap((objref) => reader.object(objref, "NS") ?? []);
  if (others.length > 0)
    losses.add(
      `namespaces ${others.map(({ objref }) => objref).join(", ")}`,
      "namespaces of tasks that are not those of the first task",
      "criu restores all tasks of a set into the same UTS and IPC namespace",
    );
  if (first === undefined) return {};
  const { value: ns } = reader.get(first, RECORDS.NS);
  const isOurs =
    reader.tree.head !== undefined && reader.find(reader.tree.head, RECORDS.EXTENSIONS) !== undefined;
  const head = reader.tree.head as Part;
  const isContainer = isOurs || (reader.get(head, RECORDS.HEADER).value.uflags & SUBTREE) === 0n;
  const uts = decodeUtsNamespaces(reader).find(({ id }) => id === ns.uts_objref);
  const ipc = context.ipcNamespaces().find(({ id }) => id === ns.ipc_objref);
  const ids: { -readonly [K in keyof NamespaceIds]: number } = {};
  if (uts !== undefined && isContainer) {
    context.set.add(IMAGES.UTSNS, OWN_UTS, UTSNS_ENTRY, encodeUtsNamespace(uts));
    ids.uts_ns_id = OWN_UTS;
  }
  if (ipc !== undefined && (isContainer || context.hasSysV())) {
    writeIpc(context, OWN_IPC, ipc);
    ids.ipc_ns_id = OWN_IPC;
  }
  if ((ns.net_objref ?? 0) > 0)
    losses.add(
      `network namespace ${ns.net_objref}`,
      "its devices and addresses",
      "how streams store them was never published",
    );
  return ids;
}
