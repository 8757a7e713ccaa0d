import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import { ND_TYPE } from "../../formats/criu/tables/netns.js";
import type { UidGidExtent } from "../../formats/criu/tables/ns.js";
import { enumName } from "../../io/enums.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { namespacesOfStream } from "./ns-of-stream.js";
import { type IdRange, linkAddress, type NamespaceKind, type ShownNamespace } from "./shown-namespace.js";
import { taskIds } from "./task-ids.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface NsView extends ViewHead<"ns"> {
  readonly namespaces: readonly ShownNamespace[];
}

const KINDS: readonly (readonly [kind: NamespaceKind, field: keyof TaskKobjIdsEntry & `${string}_ns_id`])[] =
  [
    ["pid", "pid_ns_id"],
    ["net", "net_ns_id"],
    ["ipc", "ipc_ns_id"],
    ["uts", "uts_ns_id"],
    ["mnt", "mnt_ns_id"],
    ["user", "user_ns_id"],
    ["cgroup", "cgroup_ns_id"],
    ["time", "time_ns_id"],
  ];

/** The namespaces of the tasks, with the stored state of those that the restore creates. */
export function nsView(document: Document, options: ShowOptions = {}): NsView {
  if (document.family === "linux-cr")
    return { ...viewHead("ns"), namespaces: namespacesOfStream(document, options) };
  const { checkpoint, set } = document;
  const outside = set.first(IMAGES.INVENTORY)?.root_ids;
  const found = new Map<string, { readonly namespace: ShownNamespace; readonly pids: number[] }>();
  for (const { pid } of chosenTasks(checkpoint, options)) {
    const ids = taskIds(set, pid);
    if (ids === undefined) continue;
    for (const [kind, field] of KINDS) {
      const id = ids[field];
      if (id === undefined) continue;
      const known = found.get(`${kind} ${id}`);
      if (known !== undefined) {
        known.pids.push(pid);
        continue;
      }
      const dumped = id !== outside?.[field];
      const stored = dumped ? storedOf[kind](set, id) : {};
      const pids = [pid];
      found.set(`${kind} ${id}`, { namespace: { kind, id, dumped, pids, ...stored }, pids });
    }
  }
  const order = KINDS.map(([kind]) => kind);
  const namespaces = [...found.values()]
    .map(({ namespace }) => namespace)
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.id - b.id);
  return { ...viewHead("ns"), namespaces };
}

const storedOf: Readonly<Record<NamespaceKind, (set: CriuImageSet, id: number) => Partial<ShownNamespace>>> =
  {
    pid: (set, id) => ({ external: set.first(IMAGES.PIDNS, id)?.ext_key }),
    net: (set, id) => ({
      external: set.first(IMAGES.NETNS, id)?.ext_key,
      devices: set.records(IMAGES.NETDEV, id).map(({ value }) => ({
        index: value.ifindex,
        name: value.name,
        type: enumName(ND_TYPE, value.type).toLowerCase(),
        mtu: value.mtu,
        address: value.address === undefined ? undefined : linkAddress(value.address),
      })),
    }),
    ipc: () => ({}),
    uts: (set, id) => {
      const names = set.first(IMAGES.UTSNS, id);
      return { hostName: names?.nodename, domainName: names?.domainname };
    },
    mnt: (set, id) => ({ mounts: set.records(IMAGES.MNTS, id).length }),
    user: (set, id) => {
      const maps = set.first(IMAGES.USERNS, id);
      return { uidMap: maps?.uid_map.map(idRange), gidMap: maps?.gid_map.map(idRange) };
    },
    cgroup: () => ({}),
    time: (set, id) => {
      const clocks = set.first(IMAGES.TIMENS, id);
      return { monotonic: nanoseconds(clocks?.monotonic), boottime: nanoseconds(clocks?.boottime) };
    },
  };

function idRange({ first, lower_first: outside, count }: UidGidExtent): IdRange {
  return { inside: first, outside, count };
}

function nanoseconds(
  time: { readonly tv_sec: bigint; readonly tv_nsec: bigint } | undefined,
): bigint | undefined {
  return time === undefined ? undefined : time.tv_sec * 1_000_000_000n + time.tv_nsec;
}
