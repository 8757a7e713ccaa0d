import { RECORDS } from "../../../../../formats/linux-cr/records.js";
import { AF_NETLINK, AF_PACKET, SOCK_RAW, SOL_PACKET } from "../../../../../linux/sockets.js";
import type { StreamReader } from "../../../../../model/linux-cr/reader.js";
import { SYS } from "../../../sys/abi-x64.js";
import { setOption } from "../../../sys/socket-calls.js";

import { call } from "../../../sys/syscall.js";
import type { ImageOther } from "./image-socket.js";
import { newSocket } from "./unix-sockets.js";

/** SOCKET_PACKET.flags, with the options of packet(7) that they stand for; linux/if_packet.h. */
const PACKET_FLAGS = [
  [1, 8],
  [2, 9],
  [4, 15],
  [8, 14],
] as const;
const PACKET = { copyThreshold: 7, version: 10, reserve: 12, timestamp: 17 } as const;

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
  // struct sockaddr_ll: family, protocol, interface. From now on it hears packets.
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET);
  address.writeUInt16LE(value.protocol, 2);
  address.writeInt32LE(value.ifindex, 4);
  if (value.protocol !== 0 || value.ifindex !== 0)
    call("bind a packet socket", SYS.bind, fd, address, address.length);
  return fd;
}
