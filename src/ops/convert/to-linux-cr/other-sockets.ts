import type { NetlinkSkEntry } from "../../../formats/criu/tables/sk-netlink.js";
import type { PacketSockEntry } from "../../../formats/criu/tables/sk-packet.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { AF_NETLINK, AF_PACKET, SOCK_RAW, TCP_CLOSE, TCP_LISTEN } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { type SocketContext, writeSocketExtra, writeSocketRecord } from "./sockets.js";
import { writeByteQueue } from "./tcp-connections.js";

const HAS_GROUPS = 1;
/** SOCKET_PACKET.flags. */
const PACKET = { auxData: 1, origDev: 2, vnetHdr: 4, loss: 8, fanout: 16 } as const;

/** SOCK object of a netlink socket, in records of our extension. */
export function writeNetlinkSocket(context: Context, file: OpenFile): number {
  return writeOther(context, file, () =>
    writeNetlinkRecords(context, file.record as NetlinkSkEntry, labelOf(file)),
  );
}

/** SOCKET, SOCKET_NETLINK and SOCKET_EXTRA; the queues stand elsewhere. */
export function writeNetlinkRecords(context: SocketContext, entry: NetlinkSkEntry, label: string): void {
  const facts = { family: AF_NETLINK, type: SOCK_RAW, protocol: entry.protocol, state: entry.state };
  writeSocketRecord(context, { ...facts, label, opts: entry.opts, backlog: 0, shutdown: undefined });
  if (entry.groups.length > 1)
    context.losses.add(label, "its multicast groups above 32", "a stream holds one word of them");
  context.writer.record(RECORDS.SOCKET_NETLINK, {
    portid: entry.portid,
    groups: entry.groups[0] ?? 0,
    dst_portid: entry.dst_portid,
    dst_group: entry.dst_group,
    flags: entry.groups.length === 0 ? 0 : HAS_GROUPS,
  });
  writeSocketExtra(context, entry.opts, { ino: entry.ino });
}

/** SOCK object of a packet socket without rings, in records of our extension. */
export function writePacketSocket(context: Context, file: OpenFile): number {
  return writeOther(context, file, () =>
    writePacketRecords(context, file.record as PacketSockEntry, { label: labelOf(file), ino: 0 }),
  );
}

/** SOCKET, SOCKET_PACKET and SOCKET_EXTRA; the queues stand elsewhere. */
export function writePacketRecords(
  context: SocketContext,
  entry: PacketSockEntry,
  { label, ino }: { readonly label: string; readonly ino: number },
): void {
  const facts = { family: AF_PACKET, type: entry.type, protocol: 0, state: TCP_CLOSE };
  writeSocketRecord(context, { ...facts, label, opts: entry.opts, backlog: 0, shutdown: undefined });
  if (entry.mclist.length > 0)
    context.losses.add(label, "its multicast memberships", "a stream has no place for them");
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
  writeSocketExtra(context, entry.opts, { ino });
}

function writeOther(context: Context, file: OpenFile, writeRecords: () => void): number {
  const { state } = file.record as Partial<NetlinkSkEntry>;
  return context.ref("SOCK", `${file.type} ${file.id}`, (objref) => {
    writeRecords();
    if (state === TCP_LISTEN) return;
    context.deferred.push(() => {
      for (let queue = 0; queue < 2; queue++) writeByteQueue(context, objref, undefined);
    });
  });
}

function labelOf(file: OpenFile): string {
  return `open file ${file.id} (${file.label})`;
}
