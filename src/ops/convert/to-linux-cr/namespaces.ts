import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../../formats/criu/tables/core.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { WRITTEN_DIALECT } from "../../../formats/linux-cr/stream-writer.js";
import { decodeUtsNamespaces } from "../../../model/criu/ipc.js";
import { encodeUtsNamespace } from "../../../model/linux-cr/ipc.js";
import type { Context } from "./context.js";
import { writeIpc } from "./ipc.js";
import type { LiveThread } from "./source-task.js";

/** NS with UTS_NS and IPC_NS, where these are new, and TASK_NS. A namespace that criu shared has no records. */
export function writeNamespaces(context: Context, { ids }: LiveThread): void {
  tellLosses(context, ids);
  const { uts_ns_id: uts, ipc_ns_id: ipc } = ids;
  const ns_objref = context.ref("NS", `${uts} ${ipc}`, () => {
    const uts_objref = uts === undefined ? 0 : writeUts(context, uts);
    const ipc_objref = ipc === undefined ? 0 : writeIpc(context, ipc);
    context.writer.record(RECORDS.NS, { uts_objref, ipc_objref });
  });
  context.writer.record(RECORDS.TASK_NS, { ns_objref });
}

function writeUts(context: Context, id: number): number {
  const uts = decodeUtsNamespaces(context.set).find((each) => each.id === id);
  if (uts === undefined) return 0;
  return context.ref("UTS_NS", id, () => {
    context.writer.record(RECORDS.UTS_NS, {
      sysname: "Linux",
      machine: WRITTEN_DIALECT.arch.name,
      ...encodeUtsNamespace(uts),
    });
  });
}

/** Images of namespaces that a stream has no records for. */
const LOST: readonly (readonly [
  kind: ImageKind,
  id: keyof TaskKobjIdsEntry,
  object: string,
  what: string,
])[] = [
  [IMAGES.MNTS, "mnt_ns_id", "mount namespace", "its mounts and what its tmpfs mounts hold"],
  [IMAGES.NETNS, "net_ns_id", "network namespace", "its devices, addresses, routes and firewall rules"],
  [IMAGES.USERNS, "user_ns_id", "user namespace", "its maps of user and group ids"],
  [IMAGES.PIDNS, "pid_ns_id", "pid namespace", "the name under which it is handed over at a restore"],
];

function tellLosses({ set, losses }: Context, ids: TaskKobjIdsEntry): void {
  for (const [kind, field, object, what] of LOST) {
    const id = ids[field];
    if (typeof id !== "number" || set.image(kind, id) === undefined) continue;
    losses.add(`${object} ${id}`, what, "a stream has no records for them");
  }
}
