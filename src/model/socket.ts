import type { SourceRange } from "../io/concat.js";
import { bytesToText } from "../io/text.js";
import { IPPROTO_TCP, TCP_ESTABLISHED, TCP_LISTEN } from "../linux/sockets.js";
import { formatAddress } from "../schema/ip-address.js";
import type { OpenFile } from "./open-file.js";
import type { Origin } from "./origin.js";

/** Options that are on or off, by their names in socket(7), ip(7), ipv6(7) and tcp(7). */
export const SWITCHES = [
  "SO_REUSEADDR",
  "SO_PASSCRED",
  "SO_PASSSEC",
  "SO_DONTROUTE",
  "SO_NO_CHECK",
  "SO_REUSEPORT",
  "SO_BROADCAST",
  "SO_KEEPALIVE",
  "SO_OOBINLINE",
  "IP_FREEBIND",
  "IP_PKTINFO",
  "TCP_CORK",
  "TCP_NODELAY",
  "IPV6_V6ONLY",
] as const;
export type Switch = (typeof SWITCHES)[number];

/** What is not told of: a program does not see whether these are on. */
const UNTOLD: ReadonlySet<Switch> = new Set(["SO_NO_CHECK", "IP_PKTINFO"]);

/** Options as getsockopt(2) gives them; undefined for those that the image does not store. */
export interface SocketOptions {
  readonly switches: Readonly<Partial<Record<Switch, boolean>>>;
  /** Bytes. */
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  /** Buffer sizes that the program chose: 1 sending, 2 receiving (SO_BUF_LOCK). */
  readonly lockedBuffers: number | undefined;
  /** Nanoseconds, 0 for no limit. */
  readonly sendTimeout: bigint;
  readonly receiveTimeout: bigint;
  readonly priority: number | undefined;
  readonly mark: number | undefined;
  readonly receiveLowat: number | undefined;
  /** Seconds that close(2) waits. */
  readonly linger: number | undefined;
  readonly ttl: number | undefined;
  /** Seconds, and probes. */
  readonly keepIdle: number | undefined;
  readonly keepInterval: number | undefined;
  readonly keepCount: number | undefined;
  /** The interface that it is bound to: by its name, or by its number. */
  readonly device: string | undefined;
  readonly interfaceIndex: number;
  /** Instructions of a classic BPF program that packets go through (SO_ATTACH_FILTER). */
  readonly filter: readonly bigint[];
}

/** A socket. Words that stand for a number of the kernel are that number where crimg has no word for it. */
export interface Socket {
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  readonly state: string;
  readonly inode: number;
  /** `address:port`, a path, `@name` for an abstract name; empty when unnamed. */
  readonly local: string;
  readonly remote: string;
  readonly localPort: number | undefined;
  readonly remotePort: number | undefined;
  /** Connections that may wait for accept(2). */
  readonly backlog: number;
  /** Inode of the other end of a unix socket; 0 for none. */
  readonly peerInode: number | undefined;
  readonly peer: OpenFile | undefined;
  /** A TCP connection that needs its peer's state kept. */
  readonly connected: boolean;
  /** shutdown(2): 1 for reading, 2 for writing, 3 for both; undefined when not stored. */
  readonly shutdown: number | undefined;
  readonly options: SocketOptions;
  /** What only this family has. */
  readonly unix: UnixName | undefined;
  readonly inet: InetEnds | undefined;
  readonly netlink: NetlinkAddress | undefined;
  readonly packet: PacketOptions | undefined;
  /** Bytes and packets that wait in the socket; undefined when the image keeps none of it. */
  readonly queued: SocketQueue | undefined;
  /** What was received and not yet read: messages, or pieces of a TCP stream, in their order. */
  received(): Iterable<Packet>;
  /** A TCP connection with what is still to be sent; undefined for other sockets, and when the image does not hold it. */
  connection(): TcpConnection | undefined;
}

/** sun_path of a unix socket, and what bind(2) made of it. */
export interface UnixName {
  /** As it was bound: empty for none, an abstract one begins with a NUL, a path ends with one. */
  readonly name: Buffer;
  /** Bytes of the name as the image counts them. */
  readonly length: number;
  /** What a relative path counts from. */
  readonly directory: string | undefined;
  /** Whether the path was still in the file system. */
  readonly isLinked: boolean;
  readonly permissions: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
  /** What the image says of the name of the other end; undefined where it does not repeat it. */
  readonly peerName: Buffer | undefined;
  /** The other end, or what it is bound to, is not in the image. */
  readonly external: "peer" | "socket" | undefined;
  readonly origin: Origin;
}

/** One end of an internet socket. */
export interface InetEnd {
  /** Words in the order of memory of a little-endian machine: one for IPv4, four for IPv6. */
  readonly address: readonly number[];
  readonly port: number;
}

export interface InetEnds {
  readonly local: InetEnd;
  /** Port 0 when it is not connected. */
  readonly remote: InetEnd;
  readonly origin: Origin;
}

/** netlink(7) */
export interface NetlinkAddress {
  readonly portid: number;
  /** Multicast groups as a mask, the first word of 32; undefined when not stored. */
  readonly groups: number | undefined;
  readonly peerPortid: number;
  readonly peerGroup: number;
}

/** packet(7) */
export interface PacketOptions {
  /** ETH_P number in network byte order, as socket(2) takes it. */
  readonly protocol: number;
  /** Device, 0 for all. */
  readonly interfaceIndex: number;
  /** Layout of the ring. */
  readonly version: number;
  readonly reserve: number;
  readonly timestamp: number;
  readonly copyThreshold: number;
  readonly fanout: number | undefined;
  readonly auxData: boolean;
  readonly originalDevice: boolean;
  readonly vnetHeader: boolean;
  readonly loss: boolean;
}

/** A message, or a piece of a TCP stream. */
export interface Packet {
  readonly data: readonly SourceRange[];
  /** Ids of open files that travel with it, unix(7) SCM_RIGHTS. */
  readonly files: readonly number[];
  /** Types of other control data, of which no more is known. */
  readonly control: readonly number[];
}

/** What TCP_REPAIR of tcp(7) brings a connection back with. */
export interface TcpConnection {
  /** Sequence numbers behind what was received, and behind what was written. */
  readonly receivedSequence: number;
  readonly writtenSequence: number;
  /** TCPI_OPT_ bits of the options that both ends agreed on. */
  readonly optionMask: number;
  readonly sendScale: number;
  readonly receiveScale: number | undefined;
  readonly segment: number;
  readonly timestamp: number | undefined;
  /** How many bytes of `unsent` were never sent. */
  readonly neverSent: number | undefined;
  readonly windows: TcpWindows | undefined;
  readonly received: readonly SourceRange[];
  /** Sent and not acknowledged, then never sent. */
  readonly unsent: readonly SourceRange[];
  readonly origin: Origin;
}

/** struct tcp_repair_window of linux/tcp.h. */
export interface TcpWindows {
  readonly snd_wl1: number;
  readonly snd_wnd: number;
  readonly max_window: number;
  readonly rcv_wnd: number;
  readonly rcv_wup: number;
}

export interface SocketQueue {
  readonly received: number;
  /** Undefined for unix sockets of CRIU sets, where all that was sent has been received. */
  readonly unsent?: number | undefined;
  /** Undefined where bytes have no bounds, as in TCP. */
  readonly packets?: number | undefined;
}

/** The options that are on, as `SO_REUSEADDR` or `SO_BINDTODEVICE eth0`. */
export function optionNames({ switches, device, filter }: SocketOptions): string[] {
  const names: string[] = SWITCHES.filter((name) => switches[name] === true && !UNTOLD.has(name));
  if (device !== undefined) names.push(`SO_BINDTODEVICE ${device}`);
  if (filter.length > 0) names.push("SO_ATTACH_FILTER");
  return names;
}

/** Whether it is, or was, an end of a TCP connection, open or half closed. */
export function isConnection({
  protocol,
  type,
  state,
}: Pick<Socket, "protocol" | "type" | "state">): boolean {
  return protocol === "TCP" && type === "STREAM" && state !== "LISTEN" && state !== "CLOSE";
}

/** What comes back of a connection that an image does not hold: a closed socket without addresses. */
export function closedSocket(socket: Socket): Socket {
  const none = { address: socket.family === "INET6" ? [0, 0, 0, 0] : [0], port: 0 };
  const inet = socket.inet && { ...socket.inet, local: none, remote: none };
  return changedSocket(socket, { state: "CLOSE", shutdown: undefined, inet });
}

/** The socket with other values. What it computes stays computed: `...` would leave that out. */
export function changedSocket(socket: Socket, changes: Partial<Socket>): Socket {
  return Object.create(socket, Object.getOwnPropertyDescriptors(changes));
}

/** What a person calls an open socket. */
export function socketLabel({ family, type, protocol, inode, local, remote }: Socket): string {
  if (family === "UNIX") return `unix ${type} ${local || `[${inode}]`}`;
  const name = family === "NETLINK" || protocol === "" ? `${family} ${type}`.trim() : protocol;
  return remote === "" ? `${name} ${local}` : `${name} ${local} -> ${remote}`;
}

/** The name of a unix socket as people write it: a path, `@abstract`, or nothing. */
export function unixText({ name, directory }: Pick<UnixName, "name" | "directory">): string {
  if (name.length === 0) return "";
  if (name[0] === 0) return `@${bytesToText(name.subarray(1)).replaceAll("\0", "@")}`;
  const path = bytesToText(pathBytes(name));
  if (path.startsWith("/") || directory === undefined || directory === "") return path;
  return directory.endsWith("/") ? `${directory}${path}` : `${directory}/${path}`;
}

/** Whether the socket has a name in the file system: neither unnamed nor abstract. */
export function isPath({ name }: Pick<UnixName, "name">): boolean {
  return name.length > 0 && name[0] !== 0;
}

/** A path up to its NUL. */
export function pathBytes(name: Buffer): Buffer {
  const end = name.indexOf(0);
  return end === -1 ? name : name.subarray(0, end);
}

/** `127.0.0.1:80`, `[::1]:80` */
export function endText({ address, port }: InetEnd): string {
  const text = formatAddress(address);
  return `${text.includes(":") ? `[${text}]` : text}:${port}`;
}

/** A TCP socket that needs its peer's state kept. */
export function isConnected(protocol: number, state: number, remotePort: number): boolean {
  return protocol === IPPROTO_TCP && state !== TCP_LISTEN && (remotePort !== 0 || state === TCP_ESTABLISHED);
}

export function sizeOf(ranges: readonly SourceRange[]): number {
  return ranges.reduce((sum, { size }) => sum + size, 0);
}
