import { POLLIN } from "../../../../linux/files.js";
import {
  NETLINK_LIST_MEMBERSHIPS,
  SO_PROTOCOL,
  SO_TYPE,
  SOL_NETLINK,
  SOL_PACKET,
  SOL_SOCKET,
  TCP_CLOSE,
} from "../../../../linux/sockets.js";
import { addressOfSocket, getOption, intOption } from "../../sys/socket-calls.js";

import { socketOptions } from "./options.js";
import { pollEvents } from "./queue.js";
import { NO_OWNER, type OtherSocket, type ReportUnsupported } from "./socket.js";

/** Options of packet(7), linux/if_packet.h. */
const PACKET = {
  copyThreshold: 7,
  auxData: 8,
  originalDevice: 9,
  version: 10,
  reserve: 12,
  loss: 14,
  vnetHeader: 15,
  timestamp: 17,
  fanout: 18,
} as const;

/** Reads a netlink socket that crimg has borrowed as `fd`. */
export function captureNetlink(
  fd: number,
  inode: number,
  flags: number,
  unsupported: ReportUnsupported,
): OtherSocket {
  reportQueue(fd, unsupported);
  const own = addressOfSocket(fd, "own") ?? Buffer.alloc(12);
  const peer = addressOfSocket(fd, "peer") ?? Buffer.alloc(12);
  const members = getOption(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 64) ?? Buffer.alloc(0);
  if (members.subarray(4).some((byte) => byte !== 0)) unsupported("is a member of netlink groups above 32");
  return {
    family: "netlink",
    inode,
    entry: {
      id: 0,
      ino: inode,
      protocol: intOption(fd, SOL_SOCKET, SO_PROTOCOL) ?? 0,
      state: TCP_CLOSE,
      flags,
      portid: own.readUInt32LE(4),
      groups: [own.readUInt32LE(8)],
      dst_portid: peer.readUInt32LE(4),
      dst_group: peer.readUInt32LE(8),
      fown: NO_OWNER,
      opts: socketOptions(fd),
    },
  };
}

/** Reads a packet socket without rings. */
export function capturePacket(
  fd: number,
  inode: number,
  flags: number,
  unsupported: ReportUnsupported,
): OtherSocket {
  reportQueue(fd, unsupported);
  const int = (name: number): number => intOption(fd, SOL_PACKET, name) ?? 0;
  const own = addressOfSocket(fd, "own") ?? Buffer.alloc(20);
  if (int(PACKET.fanout) !== 0) unsupported("shares packets with other sockets (PACKET_FANOUT)");
  return {
    family: "packet",
    inode,
    entry: {
      id: 0,
      type: intOption(fd, SOL_SOCKET, SO_TYPE) ?? 0,
      protocol: own.readUInt16LE(2),
      ifindex: own.readInt32LE(4),
      flags,
      fown: NO_OWNER,
      opts: socketOptions(fd),
      version: int(PACKET.version),
      reserve: int(PACKET.reserve),
      aux_data: int(PACKET.auxData) !== 0,
      orig_dev: int(PACKET.originalDevice) !== 0,
      vnet_hdr: int(PACKET.vnetHeader) !== 0,
      loss: int(PACKET.loss) !== 0,
      timestamp: int(PACKET.timestamp),
      copy_thresh: int(PACKET.copyThreshold),
      mclist: [],
    },
  };
}

function reportQueue(fd: number, unsupported: ReportUnsupported): void {
  if ((pollEvents(fd) & POLLIN) !== 0) unsupported("holds messages that nobody has read");
}
