import type { ImageKind } from "../../formats/criu/image-kind.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import type { SetContext } from "./context.js";
import { tasksOf } from "./tasks.js";

/** A kind of namespace: how tasks name it and the image that describes one. */
export interface NamespaceKind {
  readonly name: string;
  readonly field: keyof TaskKobjIdsEntry & `${string}_ns_id`;
  /** Absent for those that have no image of their own. */
  readonly image?: ImageKind;
  /** Whether tasks of one set may be in different ones. */
  readonly mayDiffer: boolean;
}

export const NAMESPACES: readonly NamespaceKind[] = [
  { name: "pid", field: "pid_ns_id", mayDiffer: false },
  { name: "net", field: "net_ns_id", image: IMAGES.NETNS, mayDiffer: true },
  { name: "ipc", field: "ipc_ns_id", image: IMAGES.IPC_VAR, mayDiffer: false },
  { name: "uts", field: "uts_ns_id", image: IMAGES.UTSNS, mayDiffer: false },
  { name: "mnt", field: "mnt_ns_id", image: IMAGES.MNTS, mayDiffer: true },
  { name: "user", field: "user_ns_id", image: IMAGES.USERNS, mayDiffer: false },
  { name: "cgroup", field: "cgroup_ns_id", mayDiffer: false },
  { name: "time", field: "time_ns_id", image: IMAGES.TIMENS, mayDiffer: false },
];

/** Whether restore makes a namespace of that kind: the root task is in another one than criu was. */
export function restoresNamespace(context: SetContext, kind: NamespaceKind["name"]): boolean {
  return context.share(restoredNamespaces).has(kind);
}

function restoredNamespaces(context: SetContext): ReadonlySet<string> {
  const criu = context.set.first(IMAGES.INVENTORY)?.root_ids;
  const root = context.share(tasksOf)[0]?.ids;
  const restored = NAMESPACES.filter(
    ({ field }) => root?.[field] !== undefined && criu?.[field] !== undefined && root[field] !== criu[field],
  );
  return new Set(restored.map(({ name }) => name));
}

/** Whether restore makes network namespaces. */
export function netNamespacesRestored(context: SetContext): boolean {
  return restoresNamespace(context, "net");
}
