import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../../formats/criu/tables/core.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { WRITTEN_DIALECT } from "../../../formats/linux-cr/stream-writer.js";
import type { Context } from "./context.js";
import { writeIpcLists } from "./ipc.js";
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
  const uts = context.set.first(IMAGES.UTSNS, id);
  if (uts === undefined) return 0;
  return context.ref("UTS_NS", id, () => {
    context.writer.record(RECORDS.UTS_NS, {
      sysname: "Linux",
      nodename: uts.nodename,
      machine: WRITTEN_DIALECT.arch.name,
      domainname: uts.domainname,
    });
  });
}

function writeIpc(context: Context, id: number): number {
  const limits = context.set.first(IMAGES.IPC_VAR, id);
  if (limits === undefined) return 0;
  return context.ref("IPC_NS", id, () => {
    const [msl = 0, mns = 0, opm = 0, mni = 0] = limits.sem_ctls;
    context.writer.record(RECORDS.IPC_NS, {
      shm_ctlmax: limits.shm_ctlmax,
      shm_ctlall: limits.shm_ctlall,
      shm_ctlmni: limits.shm_ctlmni | 0,
      msg_ctlmax: limits.msg_ctlmax | 0,
      msg_ctlmnb: limits.msg_ctlmnb | 0,
      msg_ctlmni: limits.msg_ctlmni | 0,
      sem_ctl_msl: msl | 0,
      sem_ctl_mns: mns | 0,
      sem_ctl_opm: opm | 0,
      sem_ctl_mni: mni | 0,
    });
    writeIpcLists(context, id);
    const nextIds = [limits.msg_next_id, limits.sem_next_id, limits.shm_next_id];
    context.writer.record(RECORDS.IPC_NS_EXTRA, {
      auto_msgmni: limits.auto_msgmni,
      shm_rmid_forced: limits.shm_rmid_forced,
      mq_queues_max: limits.mq_queues_max,
      mq_msg_max: limits.mq_msg_max,
      mq_msgsize_max: limits.mq_msgsize_max,
      mq_msg_default: limits.mq_msg_default ?? 0,
      mq_msgsize_default: limits.mq_msgsize_default ?? 0,
      msg_next_id: (nextIds[0] ?? -1) | 0,
      sem_next_id: (nextIds[1] ?? -1) | 0,
      shm_next_id: (nextIds[2] ?? -1) | 0,
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
