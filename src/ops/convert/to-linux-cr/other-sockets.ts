import type { NetlinkSkEntry } from "../../../formats/criu/tables/sk-netlink.js";
import type { PacketSockEntry } from "../../../formats/criu/tables/sk-packet.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { type SocketFacts, TCP_STATE, writeSocketExtra, writeSocketRecord } from "./sockets.js";
import { writeByteQueue } from "./tcp-connections.js";

const AF_NETLINK = 16;
const AF_PACKET = 17;
/** All netlink sockets are raw ones. */
const SOCK_RAW = 3;
const HAS_GROUPS = 1;
/** SOCKET_PACKET.flags. */
const PACKET = { auxData: 1, origDev: 2, vnetHdr: 4, loss: 8, fanout: 16 } as const;

/** SOCK object of a netlink socket, in records of our extension. */
export function writeNetlinkSocket(context: Context, file: OpenFile): number {
  const entry = file.record as NetlinkSkEntry;
  const facts = { family: AF_NETLINK, type: SOCK_RAW, protocol: entry.protocol, state: entry.state };
  return writeOther(context, file, { ...facts, opts: entry.opts }, entry.ino, () => {
    if (entry.groups.length > 1)
      context.losses.add(labelOf(file), "its multicast groups above 32", "a stream holds one word of them");
    context.writer.record(RECORDS.SOCKET_NETLINK, {
      portid: entry.portid,
      groups: entry.groups[0] ?? 0,
      dst_portid: entry.dst_portid,
      dst_group: entry.dst_group,
      flags: entry.groups.length === 0 ? 0 : HAS_GROUPS,
    });
  });
}

/** SOCK object of a packet socket without rings, in records of our extension. */
export function writePacketSocket(context: Context, file: OpenFile): number {
  const entry = file.record as PacketSockEntry;
  const facts = { family: AF_PACKET, type: entry.type, protocol: 0, state: TCP_STATE.close };
  return writeOther(context, file, { ...facts, opts: entry.opts }, 0, () => {
    if (entry.mclist.length > 0)
      context.losses.add(labelOf(file), "its multicast memberships", "a stream has no place for them");
    const flag = (isOn: boolean, bit: number): number => (isOn ? bit : 0);
    context.writer.record(RECORDS.SOCKET_PACKET, {
      protocol: entry.protocol,
      ifindex: entry.ifindex,
      version: entry.version,
      reserve: entry.reserve,
      timestamp: entry.timestamp,
      copy_thresh: entry.copy_thresh,
      fanout: entry.fanout ?? 0,
      flags:
        flag(entry.aux_data, PACKET.auxData) |
        flag(entry.orig_dev, PACKET.origDev) |
        flag(entry.vnet_hdr, PACKET.vnetHdr) |
        flag(entry.loss, PACKET.loss) |
        flag(entry.fanout !== undefined, PACKET.fanout),
    });
  });
}

function writeOther(
  context: Context,
  file: OpenFile,
  facts: Pick<SocketFacts, "family" | "type" | "protocol" | "state" | "opts">,
  ino: number,
  writeOwn: () => void,
): number {
  return context.ref("SOCK", `${file.type} ${file.id}`, (objref) => {
    writeSocketRecord(context, { ...facts, label: labelOf(file), backlog: 0, shutdown: undefined });
    writeOwn();
    writeSocketExtra(context, facts.opts, { ino });
    if (facts.state === TCP_STATE.listen) return;
    context.deferred.push(() => {
      for (let queue = 0; queue < 2; queue++) writeByteQueue(context, objref, undefined);
    });
  });
}

function labelOf(file: OpenFile): string {
  return `open file ${file.id} (${file.label})`;
}
