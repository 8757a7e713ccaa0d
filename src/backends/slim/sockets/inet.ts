import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import { BackendError } from "../../../io/errors.js";
import { POLLHUP, POLLRDHUP } from "../../../linux/files.js";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import { NO_OWNER } from "../../../model/criu/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import { addressOfSocket, intOption, type PeekedMessage, sendMessage } from "./calls.js";
import type { InetSocket, ReportUnsupported } from "./captured.js";
import { type ImageInet, inetAddress, messagesOf } from "./image.js";
import { inetOption, ipOptions, makeRoom, OPTION, socketOptions, tcpOptions } from "./options.js";
import { peekQueue, pollEvents } from "./queue.js";
import { tcpInfo } from "./tcp.js";

const SHUT = { receiving: 1, both: 3 } as const;

/** An address and port of the internet: words as they stand in memory, four for IPv6. */
interface Endpoint {
  readonly port: number;
  readonly words: readonly number[];
}

/** An internet socket with the messages that wait in it, whose senders are still to be found. */
export interface InetCapture {
  readonly socket: InetSocket;
  readonly messages: readonly PeekedMessage[];
}

/** Reads a TCP or UDP socket that crimg has borrowed as `fd`; connections are read later, all at once. */
export function captureInet(
  fd: number,
  inode: number,
  flags: number,
  unsupported: ReportUnsupported,
): InetCapture | undefined {
  const int = (name: number): number => intOption(fd, SOL_SOCKET, name) ?? 0;
  const [family, type, proto] = [int(SO_DOMAIN), int(SO_TYPE), int(SO_PROTOCOL)];
  const isTcp = type === SOCK_STREAM && proto === IPPROTO_TCP;
  const isUdp = type === SOCK_DGRAM && proto === IPPROTO_UDP;
  if (!isTcp && !isUdp) {
    unsupported(`has type ${type} and protocol ${proto} (the slim backend supports TCP and UDP)`);
    return undefined;
  }
  const own = endpoint(addressOfSocket(fd, "own"), family, unsupported);
  const peer = endpoint(addressOfSocket(fd, "peer"), family, unsupported);
  const info = isTcp ? tcpInfo(fd) : undefined;
  const state = info?.state ?? (peer.port === 0 ? TCP_CLOSE : TCP_ESTABLISHED);
  if (info?.state === TCP_LISTEN && info.unacknowledged > 0)
    unsupported(`has ${info.unacknowledged} TCP connections to accept`);
  if (isTcp && ![TCP_LISTEN, TCP_CLOSE, TCP_ESTABLISHED].some((each) => each === state))
    unsupported(`is a TCP connection that is being opened or closed (state ${state})`);
  const entry: InetSkEntry = {
    id: 0,
    ino: inode,
    family,
    type,
    proto,
    state,
    src_port: own.port,
    dst_port: peer.port,
    flags,
    backlog: info?.state === TCP_LISTEN ? info.selective : 0,
    src_addr: [...own.words],
    dst_addr: [...peer.words],
    fown: NO_OWNER,
    opts: socketOptions(fd),
    ...(family === AF_INET6 ? { v6only: inetOption(fd, "v6only") !== 0 } : {}),
    ip_opts: ipOptions(fd),
    ...(isTcp ? { tcp_opts: tcpOptions(fd) } : {}),
    ...(state === TCP_ESTABLISHED ? shutdownOf(fd) : {}),
  };
  return {
    socket: {
      family: "inet",
      inode,
      entry,
      ifindex: int(OPTION.interface),
      connection: undefined,
      queue: [],
    },
    messages: isUdp ? peekQueue(fd, false) : [],
  };
}

function shutdownOf(fd: number): { readonly shutdown?: number } {
  const events = pollEvents(fd);
  if ((events & POLLHUP) !== 0) return { shutdown: SHUT.both };
  return (events & POLLRDHUP) === 0 ? {} : { shutdown: SHUT.receiving };
}

/** sockaddr_in or sockaddr_in6; without one, port 0. */
export function endpoint(
  address: Buffer | undefined,
  family: number,
  unsupported?: ReportUnsupported,
): Endpoint {
  const count = family === AF_INET6 ? 4 : 1;
  if (address === undefined || address.length < 8) return { port: 0, words: Array<number>(count).fill(0) };
  const at = family === AF_INET6 ? 8 : 4;
  if (family === AF_INET6 && address.length >= 28 && address.readUInt32LE(24) !== 0)
    unsupported?.("has an address with a scope id");
  return {
    port: address.readUInt16BE(2),
    words: Array.from({ length: count }, (_, i) => address.readUInt32LE(at + i * 4)),
  };
}

/** One text for an address, whichever of the two families it is written in. */
export function endpointKey({ port, words }: Endpoint): string {
  const MAPPED = 0xffff_0000;
  const isMapped = words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === MAPPED;
  return `${(isMapped ? words.slice(3) : words).join(".")}:${port}`;
}

export function isEstablished({ entry }: InetSocket): boolean {
  return entry.proto === IPPROTO_TCP && entry.state === TCP_ESTABLISHED;
}

const LOOPBACK = { v4: 0x0100_007f, v6: [0, 0, 0, 0x0100_0000] } as const;

/**
 * Sends datagrams again from the sockets that had sent them, then connects those that were connected: from then on they
 * receive from their peer only. Errors: BackendError for a datagram without a sender.
 */
export function fillDatagrams(
  reader: StreamReader,
  sockets: readonly ImageInet[],
  fdOf: (sock: number) => number | undefined,
): void {
  for (const socket of sockets) {
    const { received } = messagesOf(reader, socket);
    const fd = fdOf(socket.objref) ?? -1;
    const total = received.reduce((sum, { data }) => sum + data.length, 0);
    if (received.length > 0) makeRoom(fd, total);
    for (const { data, sender } of received) {
      const from = sockets.find(({ objref }) => objref === sender);
      const own = fdOf(sender);
      if (from === undefined || own === undefined || socket.local === undefined)
        throw new BackendError(
          `SOCK ${socket.objref} holds a datagram whose sender is not in the checkpoint`,
        );
      sendMessage("send a datagram again", own, data, { to: reachable(socket.local, from.family) });
    }
  }
  for (const { objref, remote } of sockets)
    if (remote !== undefined)
      call("connect a UDP socket", SYS.connect, fdOf(objref) ?? -1, remote, remote.length);
}

/** The address of a socket as one of the other family sees it; one that is bound to all is reached on loopback. */
function reachable(local: Buffer, family: number): Buffer {
  const port = local.readUInt16BE(2);
  const isV6 = local.readUInt16LE(0) === AF_INET6;
  const isAny = local.subarray(isV6 ? 8 : 4, isV6 ? 24 : 8).every((byte) => byte === 0);
  if (isV6 && family === AF_INET)
    return inetAddress(AF_INET, port, [isAny ? LOOPBACK.v4 : local.readUInt32LE(20)]);
  if (!isAny) return local;
  return isV6 ? inetAddress(AF_INET6, port, LOOPBACK.v6) : inetAddress(AF_INET, port, [LOOPBACK.v4]);
}
