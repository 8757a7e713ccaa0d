import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import { ND_TYPE } from "../../formats/criu/tables/netns.js";
import type { UidGidExtent } from "../../formats/criu/tables/ns.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { Document, LinuxCrDocument } from "../../model/document.js";
import { StreamReader } from "../../model/linux-cr/reader.js";
import { enumName } from "../../schema/enums.js";
import { taskIds } from "./task-ids.js";
import { chosenTasks, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface NsView extends ViewHead<"ns"> {
  readonly namespaces: readonly ShownNamespace[];
}

export type NamespaceKind = "pid" | "net" | "ipc" | "uts" | "mnt" | "user" | "cgroup" | "time";

export interface ShownNamespace {
  readonly kind: NamespaceKind;
  readonly id: number;
  /** False: it is the namespace of criu itself, the restore leaves the tasks in its own. */
  readonly dumped: boolean;
  readonly pids: readonly number[];
  /** Key of `criu restore --inherit-fd fd[N]:KEY` for a namespace that comes from outside. */
  readonly external?: string | undefined;
  readonly hostName?: string | undefined;
  readonly domainName?: string | undefined;
  readonly devices?: readonly NetworkDevice[] | undefined;
  readonly uidMap?: readonly IdRange[] | undefined;
  readonly gidMap?: readonly IdRange[] | undefined;
  readonly mounts?: number | undefined;
  /** Clocks at the checkpoint in nanoseconds. */
  readonly monotonic?: bigint | undefined;
  readonly boottime?: bigint | undefined;
}

export interface NetworkDevice {
  /** A linux-cr stream does not store the index, the name and the MTU of a device. */
  readonly index?: number | undefined;
  readonly name: string;
  readonly type: string;
  readonly mtu?: number | undefined;
  /** Link-layer address. */
  readonly address?: string | undefined;
}

/** `count` ids from `inside` on are those from `outside` on in the parent namespace. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
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

/** Which namespaces the tasks live in, and what is stored of those that the restore makes anew. */
export function nsView(document: Document, options: ShowOptions = {}): NsView {
  if (document.family === "linux-cr") return { ...viewHead("ns"), namespaces: ofStream(document, options) };
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

/** A stream has namespaces as objects; those of the root task that it does not name stay the ones of the restart. */
function ofStream({ image, checkpoint }: LinuxCrDocument, options: ShowOptions): ShownNamespace[] {
  const reader = StreamReader.of(image);
  const found = new Map<string, { readonly namespace: ShownNamespace; readonly pids: number[] }>();
  for (const { pid, origin } of chosenTasks(checkpoint, options)) {
    const part = reader.taskAt(origin.record);
    const ns = part === undefined ? undefined : reader.find(part, RECORDS.TASK_NS)?.value.ns_objref;
    const object = ns === undefined ? undefined : reader.object(ns, "NS");
    if (object === undefined) continue;
    const { uts_objref: uts, ipc_objref: ipc, net_objref: net = 0 } = reader.get(object, RECORDS.NS).value;
    for (const [kind, id] of [
      ["net", net],
      ["ipc", ipc],
      ["uts", uts],
    ] as const) {
      if (id === 0) continue;
      const known = found.get(`${kind} ${id}`);
      if (known !== undefined) {
        known.pids.push(pid);
        continue;
      }
      const pids = [pid];
      const namespace = { kind, id, dumped: true, pids, ...storedInStream(reader, kind, id) };
      found.set(`${kind} ${id}`, { namespace, pids });
    }
  }
  return [...found.values()].map(({ namespace }) => namespace);
}

const DEVICE_TYPES = ["loopback", "veth", "sit", "macvlan"] as const;

function storedInStream(
  reader: StreamReader,
  kind: "net" | "ipc" | "uts",
  id: number,
): Partial<ShownNamespace> {
  if (kind === "uts") {
    const object = reader.object(id, "UTS_NS");
    if (object === undefined) return {};
    const { nodename, domainname } = reader.get(object, RECORDS.UTS_NS).value;
    return { hostName: nodename, domainName: domainname };
  }
  if (kind === "ipc") return {};
  const devices = [...reader.objects("NETDEV")]
    .map((part) => reader.get(part, RECORDS.NETDEV).value)
    .filter((device) => device.netns_ref === id)
    .map(({ type, hwaddr }) => ({
      name: "",
      type: DEVICE_TYPES[type] ?? String(type),
      address: linkAddress(hwaddr),
    }));
  return { devices };
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

function linkAddress(bytes: Buffer): string {
  return bytes.toString("hex").replace(/(..)(?=.)/g, "$1:");
}

function nanoseconds(
  time: { readonly tv_sec: bigint; readonly tv_nsec: bigint } | undefined,
): bigint | undefined {
  return time === undefined ? undefined : time.tv_sec * 1_000_000_000n + time.tv_nsec;
}
