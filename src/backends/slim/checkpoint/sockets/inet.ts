import type { InetSkEntry } from "../../../../formats/criu/tables/sk-inet.js";
import { POLLHUP, POLLRDHUP } from "../../../../linux/files.js";
import {
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
} from "../../../../linux/sockets.js";
import { OPTION } from "../../socket-options.js";
import { addressOfSocket, intOption, type PeekedMessage } from "../../sys/socket-calls.js";

import { inetOption, ipOptions, socketOptions, tcpOptions } from "./options.js";
import { peekQueue, pollEvents } from "./queue.js";
import { type InetSocket, NO_OWNER, type ReportUnsupported } from "./socket.js";
import { tcpInfo } from "./tcp.js";

const SHUT = { receiving: 1, both: 3 } as const;

/** An address and port of the internet: words as they stand in memory, four for IPv6. */
export interface Endpoint {
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
    unsupported(`is of type ${type} and protocol ${proto}: this engine knows TCP and UDP alone`);
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
    unsupported?.("has an address that counts on one interface alone");
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

export function isConnection({ entry }: InetSocket): boolean {
  return entry.proto === IPPROTO_TCP && entry.state === TCP_ESTABLISHED;
}
