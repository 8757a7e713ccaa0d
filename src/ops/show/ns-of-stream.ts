import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { LinuxCrDocument } from "../../model/document.js";
import type { StreamReader } from "../../model/linux-cr/reader.js";
import { linkAddress, type NamespaceKind, type ShownNamespace } from "./shown-namespace.js";
import type { ShowOptions } from "./view.js";

const DEVICE_TYPES = ["loopback", "veth", "sit", "macvlan"] as const;
/** CLOCKS.flags: the tasks had their own time namespace, with known clocks. */
const OWN_CLOCKS = 1;
const KNOWN_CLOCKS = 2;

/** A stream has namespaces as objects; those missing for the root task are inherited from the restoring process. */
export function namespacesOfStream(
  { reader, checkpoint }: LinuxCrDocument,
  options: ShowOptions,
): ShownNamespace[] {
  const found = new Map<string, { readonly namespace: ShownNamespace; readonly pids: number[] }>();
  for (const { pid, origin } of chosenTasks(checkpoint, options)) {
    const part = reader.taskAt(origin.record);
    if (part === undefined) continue;
    for (const [kind, id] of namespacesOf(reader, part)) {
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

/** Kind and object of each namespace of a task in the stream. */
function* namespacesOf(reader: StreamReader, task: Part): Generator<readonly [NamespaceKind, number]> {
  const ns = reader.object(reader.find(task, RECORDS.TASK_NS)?.value.ns_objref ?? 0, "NS");
  if (ns !== undefined) {
    const { uts_objref: uts, ipc_objref: ipc, net_objref: net = 0 } = reader.get(ns, RECORDS.NS).value;
    if (net !== 0) yield ["net", net];
    if (ipc !== 0) yield ["ipc", ipc];
    if (uts !== 0) yield ["uts", uts];
  }
  const user = userNamespaceOf(reader, task);
  if (user !== undefined) yield ["user", user];
  // A zombie has none; all others share the one there may be, which has no objref.
  const isAlive = reader.index(task, RECORDS.TASK_NS) !== undefined;
  if (isAlive && clocksOf(reader) !== undefined) yield ["time", 0];
}

/** The user namespace of a task's credentials, unless it is that of the root task, which was not created. */
function userNamespaceOf(reader: StreamReader, task: Part): number | undefined {
  const cred = reader.object(reader.find(task, RECORDS.TASK_CREDS)?.value.cred_ref ?? 0, "CRED");
  const user = cred && reader.object(reader.get(cred, RECORDS.CRED).value.user_ref, "USER");
  const id = user && reader.get(user, RECORDS.USER).value.userns_ref;
  const namespace = id === undefined ? undefined : reader.object(id, "USER_NS");
  const isOwn = namespace !== undefined && reader.get(namespace, RECORDS.USER_NS).value.creator_ref !== 0;
  return isOwn ? id : undefined;
}

/** The clocks of the tasks' own time namespace. */
function clocksOf(reader: StreamReader) {
  const head = reader.tree.head;
  const clocks = head && reader.find(head, RECORDS.CLOCKS)?.value;
  return clocks !== undefined && (clocks.flags & OWN_CLOCKS) !== 0 ? clocks : undefined;
}

function storedInStream(reader: StreamReader, kind: NamespaceKind, id: number): Partial<ShownNamespace> {
  switch (kind) {
    case "uts": {
      const object = reader.object(id, "UTS_NS");
      const names = object && reader.get(object, RECORDS.UTS_NS).value;
      return { hostName: names?.nodename, domainName: names?.domainname };
    }
    case "net":
      return { devices: devicesOf(reader, id) };
    case "time": {
      const clocks = clocksOf(reader);
      if (clocks === undefined || (clocks.flags & KNOWN_CLOCKS) === 0) return {};
      return { monotonic: clocks.monotonic_ns, boottime: clocks.boottime_ns };
    }
    default:
      return {};
  }
}

function devicesOf(reader: StreamReader, namespace: number): ShownNamespace["devices"] {
  return [...reader.objects("NETDEV")]
    .map((part) => reader.get(part, RECORDS.NETDEV).value)
    .filter((device) => device.netns_ref === namespace)
    .map(({ type, hwaddr }) => ({
      name: "",
      type: DEVICE_TYPES[type] ?? String(type),
      address: linkAddress(hwaddr),
    }));
}
