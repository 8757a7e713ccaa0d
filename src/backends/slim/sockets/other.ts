import { RECORDS } from "../../../formats/linux-cr/records.js";
import { POLLIN } from "../../../linux/files.js";
import {
  AF_NETLINK,
  AF_PACKET,
  NETLINK_LIST_MEMBERSHIPS,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_PACKET,
  SOL_SOCKET,
  TCP_CLOSE,
} from "../../../linux/sockets.js";
import { NO_OWNER } from "../../../model/criu/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import { addressOfSocket, getOption, intOption, setOption } from "./calls.js";
import type { OtherSocket, ReportUnsupported } from "./captured.js";
import type { ImageOther } from "./image.js";
import { socketOptions } from "./options.js";
import { pollEvents } from "./queue.js";
import { newSocket } from "./unix-apply.js";

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
  if ((pollEvents(fd) & POLLIN) !== 0) unsupported("holds unread messages");
}

/** SOCKET_PACKET.flags, with the options of packet(7) that they stand for; linux/if_packet.h. */
const PACKET_FLAGS = [
  [1, PACKET.auxData],
  [2, PACKET.originalDevice],
  [4, PACKET.vnetHeader],
  [8, PACKET.loss],
] as const;

/** struct sockaddr_nl: family, padding, port id, groups. */
function netlinkAddress(portId: number, groups: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16LE(AF_NETLINK);
  bytes.writeUInt32LE(portId, 4);
  bytes.writeUInt32LE(groups, 8);
  return bytes;
}

/** A netlink socket with its port id and groups. Errors: BackendError. */
export function openNetlink(reader: StreamReader, { part, protocol }: ImageOther): number {
  const { portid, groups, dst_portid, dst_group } = reader.get(part, RECORDS.SOCKET_NETLINK).value;
  const fd = newSocket(AF_NETLINK, SOCK_RAW, protocol);
  if (portid !== 0 || groups !== 0)
    call(`bind a netlink socket to port id ${portid}`, SYS.bind, fd, netlinkAddress(portid, groups), 12);
  if (dst_portid !== 0 || dst_group !== 0)
    call("connect a netlink socket", SYS.connect, fd, netlinkAddress(dst_portid, dst_group), 12);
  return fd;
}

/** A packet socket without rings. Errors: BackendError. */
export function openPacket(reader: StreamReader, { part, type }: ImageOther): number {
  const { value } = reader.get(part, RECORDS.SOCKET_PACKET);
  const fd = newSocket(AF_PACKET, type, 0);
  const set = (name: number, wanted: number): void => {
    if (wanted !== 0) setOption("set an option of a packet socket", fd, SOL_PACKET, name, wanted);
  };
  set(PACKET.version, value.version);
  set(PACKET.reserve, value.reserve);
  set(PACKET.timestamp, value.timestamp);
  set(PACKET.copyThreshold, value.copy_thresh);
  for (const [flag, name] of PACKET_FLAGS) set(name, (value.flags & flag) === 0 ? 0 : 1);
  // struct sockaddr_ll: family, protocol, interface. From now on it receives packets.
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET);
  address.writeUInt16LE(value.protocol, 2);
  address.writeInt32LE(value.ifindex, 4);
  if (value.protocol !== 0 || value.ifindex !== 0)
    call("bind a packet socket", SYS.bind, fd, address, address.length);
  return fd;
}
