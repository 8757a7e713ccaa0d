import { SK_FAMILY, SK_PROTO, SK_STATE, SK_TYPE } from "../../formats/criu/names.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { enumName } from "../../io/enums.js";
import { bytesToText } from "../../io/text.js";
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_TCP,
  SUN_PATH,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../linux/sockets.js";
import { formatAddress } from "../../schema/ip-address.js";
import type { OpenFile, Socket, SocketQueue } from "../checkpoint.js";
import type { StoredBytes } from "../stored-bytes.js";
import type { StreamReader } from "./reader.js";

const SLASH = 0x2f;

/** A SOCK object as a socket. `fileOf` finds the open file of another one, for the peer. */
export function linuxCrSocket(
  reader: StreamReader,
  part: Part,
  fileOf: (sockRef: number) => OpenFile | undefined,
): Socket {
  const { sock_common: common, sock } = reader.get(part, RECORDS.SOCKET).value;
  const shared = {
    family: enumName(SK_FAMILY, common.family),
    type: enumName(SK_TYPE, sock.type),
    state: enumName(SK_STATE, sock.state),
    inode: inodeOf(reader, part),
    backlog: sock.state === TCP_LISTEN ? sock.backlog : undefined,
    queued: () => queued(reader, part, sock.protocol === IPPROTO_TCP),
    waiting: () => waiting(reader, part),
    shutdown: sock.shutdown,
    // Stored as setsockopt(2) takes them, which is half of what the kernel gives.
    sendBuffer: sock.sndbuf * 2,
    receiveBuffer: sock.rcvbuf * 2,
    options: optionNames(reader, part, common.reuse !== 0),
  };
  if (common.family === AF_UNIX) {
    const { peer } = reader.get(part, RECORDS.SOCKET_UNIX).value;
    const other = peer === 0 ? undefined : reader.object(peer, "SOCK");
    return {
      ...shared,
      protocol: "",
      local: unixSocketName(reader, part),
      remote: other === undefined ? "" : unixSocketName(reader, other),
      localPort: undefined,
      remotePort: undefined,
      peerInode: other === undefined ? peer : inodeOf(reader, other),
      peer: peer === 0 ? undefined : fileOf(peer),
      connected: false,
    };
  }
  const bare = bareAddress(reader, part);
  if (bare !== undefined) return { ...shared, ...NOWHERE, ...bare };
  return { ...shared, ...inetAddresses(reader, part, common.family, sock.protocol, sock.state) };
}

const NOWHERE = {
  protocol: "",
  remote: "",
  localPort: undefined,
  remotePort: undefined,
  peerInode: undefined,
  peer: undefined,
  connected: false,
} as const;

/** What our extension says of netlink and packet sockets, which have neither ports nor peers; undefined for others. */
function bareAddress(
  reader: StreamReader,
  part: Part,
): (Pick<Socket, "local"> & Partial<Pick<Socket, "type" | "state" | "queued">>) | undefined {
  const netlink = reader.find(part, RECORDS.SOCKET_NETLINK)?.value;
  if (netlink !== undefined) return { local: `port ${netlink.portid}`, type: "", queued: () => undefined };
  const packet = reader.find(part, RECORDS.SOCKET_PACKET)?.value;
  if (packet === undefined) return undefined;
  return { local: `ifindex ${packet.ifindex}`, state: "", queued: () => undefined };
}

/** The number of a socket as the tasks know it, else that of its object. */
function inodeOf(reader: StreamReader, part: Part): number {
  return Number(reader.find(part, RECORDS.SOCKET_EXTRA)?.value.inode ?? part.objref ?? 0);
}

/** By the bits of SOCKET_EXTRA.so_options; no name for those that are not told of. */
const OPTIONS: readonly (string | undefined)[] = [
  ...["SO_REUSEADDR", "SO_PASSCRED", "SO_PASSSEC", "SO_DONTROUTE", undefined, "SO_REUSEPORT", "SO_BROADCAST"],
  ...["SO_KEEPALIVE", "SO_OOBINLINE", "IP_FREEBIND", undefined, "TCP_CORK", "TCP_NODELAY"],
];

function optionNames(reader: StreamReader, part: Part, reuse: boolean): string[] {
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  if (extra === undefined) return reuse ? ["SO_REUSEADDR"] : [];
  const names = OPTIONS.filter((_, bit) => (extra.so_options >> BigInt(bit)) & 1n);
  return [...names, extra.v6_only !== 0 ? "IPV6_V6ONLY" : undefined].filter((name) => name !== undefined);
}

/** The two queues stand at the end of the descriptor table: what was received, then what is yet to be sent. */
function queued(reader: StreamReader, part: Part, isTcp: boolean): SocketQueue | undefined {
  const [received, unsent] = (part.deferred?.parts ?? []).map(
    (queue) => reader.get(queue, RECORDS.SOCKET_QUEUE).value,
  );
  if (received === undefined) return undefined;
  return {
    received: received.total_bytes,
    unsent: unsent?.total_bytes ?? 0,
    packets: isTcp ? undefined : received.skb_count,
  };
}

/** The data of the packets that were received: behind the headroom of each, then what fragments use of their pages. */
function* waiting(reader: StreamReader, part: Part): Generator<StoredBytes> {
  const { image } = reader;
  const bytes = (offset: number, size: number): StoredBytes => ({
    size,
    read: (from, count) => image.source.read(offset + from, count),
  });
  for (const packet of part.deferred?.parts[0]?.parts ?? []) {
    const linear = image.payload(reader.get(packet, RECORDS.BUFFER).index);
    const skip = Math.min(reader.get(packet, RECORDS.SOCKET_BUFFER).value.data_offset ?? 0, linear.size);
    yield bytes(linear.offset + skip, linear.size - skip);
    for (const fragment of packet.parts) {
      const { index, value } = reader.get(fragment, RECORDS.SOCKET_FRAG);
      const page = image.rawPage(index);
      if (page !== undefined && value.offset + value.size <= page.size)
        yield bytes(page.offset + value.offset, value.size);
    }
  }
}

function inetAddresses(
  reader: StreamReader,
  part: Part,
  family: number,
  protocol: number,
  state: number,
): Pick<
  Socket,
  "protocol" | "local" | "remote" | "localPort" | "remotePort" | "peerInode" | "peer" | "connected"
> {
  const { laddr, raddr, inet6 } = reader.get(part, RECORDS.SOCKET_INET).value;
  const isV6 = family === AF_INET6 && inet6 !== undefined;
  const localPort = laddr.readUInt16BE(2);
  const remotePort = raddr.readUInt16BE(2);
  const local = isV6 ? `[${formatV6(inet6.rcv_saddr)}]` : formatV4(laddr);
  const remote = isV6 ? `[${formatV6(inet6.daddr)}]` : formatV4(raddr);
  return {
    protocol: enumName(SK_PROTO, protocol),
    local: `${local}:${localPort}`,
    remote: remotePort === 0 ? "" : `${remote}:${remotePort}`,
    localPort,
    remotePort: remotePort === 0 ? undefined : remotePort,
    peerInode: undefined,
    peer: undefined,
    connected:
      protocol === IPPROTO_TCP && state !== TCP_LISTEN && (remotePort !== 0 || state === TCP_ESTABLISHED),
  };
}

/** sockaddr_in: family, port, then four bytes of address. */
function formatV4(address: Buffer): string {
  return [...address.subarray(4, 8)].join(".");
}

function formatV6(address: Buffer): string {
  return formatAddress([0, 4, 8, 12].map((at) => address.readUInt32LE(at)));
}

/** The name of a Unix socket: a path, `@abstract`, or nothing. A relative path gets its directory. */
export function unixSocketName(reader: StreamReader, part: Part): string {
  const { laddr, laddr_len: length } = reader.get(part, RECORDS.SOCKET_UNIX).value;
  const name = laddr.subarray(SUN_PATH, Math.max(SUN_PATH, Math.min(length, laddr.length)));
  if (name.length === 0) return "";
  if (name[0] === 0) return `@${bytesToText(name.subarray(1)).replaceAll("\0", "@")}`;
  const end = name.indexOf(0);
  const path = bytesToText(end === -1 ? name : name.subarray(0, end));
  if (name[0] === SLASH) return path;
  const directory = reader.text(part, RECORDS.STRING) ?? "";
  return directory === "" || directory.endsWith("/") ? `${directory}${path}` : `${directory}/${path}`;
}
