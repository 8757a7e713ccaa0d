import fs from "node:fs";
import type { IpOptsEntry, TcpOptsEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { SkOptsEntry } from "../../../formats/criu/tables/sk-opts.js";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_PEEK_OFF,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_BUF_LOCK_MASK,
  SOCK_CLOEXEC,
  SOL_SOCKET,
  SOL_TCP,
} from "../../../linux/sockets.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { getOption, intOption, s32, setOption, trySetOption } from "./calls.js";
import type { ImageInet, ImageSocket } from "./image.js";

/** Options that are on or off, by the names that images have for them; asm-generic/socket.h. */
export const SWITCHES = {
  reuseaddr: 2,
  so_dontroute: 5,
  so_broadcast: 6,
  so_keepalive: 9,
  so_oobinline: 10,
  so_no_check: 11,
  so_reuseport: 15,
  so_passcred: 16,
  so_passsec: 34,
} as const satisfies Partial<Record<keyof SkOptsEntry, number>>;

/** Other options of the level SOL_SOCKET. */
export const OPTION = {
  sendBuffer: 7,
  receiveBuffer: 8,
  priority: 12,
  linger: 13,
  receiveLowWater: 18,
  receiveTimeout: 20,
  sendTimeout: 21,
  filter: 26,
  sendBufferForce: 32,
  receiveBufferForce: 33,
  mark: 36,
  interface: 62,
  bufferLock: 72,
} as const;

/** Options of IP, IPv6 and TCP: level and name; linux/in.h, linux/in6.h, linux/tcp.h. */
const INET_OPTION = {
  freebind: [IPPROTO_IP, 15],
  pktinfo: [IPPROTO_IP, 8],
  ttl: [IPPROTO_IP, 2],
  v6only: [IPPROTO_IPV6, 26],
  nodelay: [SOL_TCP, 1],
  cork: [SOL_TCP, 3],
  keepidle: [SOL_TCP, 4],
  keepintvl: [SOL_TCP, 5],
  keepcnt: [SOL_TCP, 6],
} as const;

/** struct timeval and struct linger. */
const TIMEVAL_BYTES = 16;
const LINGER_BYTES = 8;

/** Options of the level SOL_SOCKET of a socket that crimg has borrowed. */
export function socketOptions(fd: number): SkOptsEntry {
  const int = (name: number): number => intOption(fd, SOL_SOCKET, name) ?? 0;
  const time = (name: number): readonly [seconds: bigint, microseconds: bigint] => {
    const value = getOption(fd, SOL_SOCKET, name, TIMEVAL_BYTES) ?? Buffer.alloc(TIMEVAL_BYTES);
    return [value.readBigInt64LE(0), value.readBigInt64LE(8)];
  };
  const [sendSeconds, sendMicroseconds] = time(OPTION.sendTimeout);
  const [receiveSeconds, receiveMicroseconds] = time(OPTION.receiveTimeout);
  const linger = getOption(fd, SOL_SOCKET, OPTION.linger, LINGER_BYTES) ?? Buffer.alloc(LINGER_BYTES);
  const mark = int(OPTION.mark);
  const { so_oobinline: outOfBand, ...switches } = switchesOf(fd);
  return {
    so_sndbuf: int(OPTION.sendBuffer),
    so_rcvbuf: int(OPTION.receiveBuffer),
    so_snd_tmo_sec: sendSeconds,
    so_snd_tmo_usec: sendMicroseconds,
    so_rcv_tmo_sec: receiveSeconds,
    so_rcv_tmo_usec: receiveMicroseconds,
    ...switches,
    ...(outOfBand === undefined ? {} : { so_oobinline: Number(outOfBand) }),
    so_priority: int(OPTION.priority),
    so_rcvlowat: int(OPTION.receiveLowWater),
    ...(mark === 0 ? {} : { so_mark: mark }),
    so_filter: [],
    ...(linger.readInt32LE(0) === 0 ? {} : { so_linger: linger.readInt32LE(4) }),
    so_buf_lock: int(OPTION.bufferLock),
  };
}

/** Those that the socket has: only some families know SO_PASSCRED. */
function switchesOf(fd: number): { -readonly [K in keyof typeof SWITCHES]?: boolean } {
  const found: { -readonly [K in keyof typeof SWITCHES]?: boolean } = {};
  for (const [key, name] of Object.entries(SWITCHES) as [keyof typeof SWITCHES, number][]) {
    const value = intOption(fd, SOL_SOCKET, name);
    if (value !== undefined) found[key] = value !== 0;
  }
  return found;
}

/** Options of IP. A time to live that is the default of the host is none of its own. */
export function ipOptions(fd: number): IpOptsEntry {
  const int = (name: "freebind" | "pktinfo" | "ttl"): number => inetOption(fd, name);
  const ttl = int("ttl");
  return {
    freebind: int("freebind") !== 0,
    pktinfo: int("pktinfo") !== 0,
    ...(ttl === defaultTtl() ? {} : { ttl }),
  };
}

export function tcpOptions(fd: number): TcpOptsEntry {
  const int = (name: keyof typeof INET_OPTION): number => inetOption(fd, name);
  return {
    cork: int("cork") !== 0,
    nodelay: int("nodelay") !== 0,
    keepcnt: int("keepcnt"),
    keepidle: int("keepidle"),
    keepintvl: int("keepintvl"),
  };
}

/** Whether a packet filter is attached, for which an image has no place. */
export function hasFilter(fd: number): boolean {
  // Without room SO_GET_FILTER gives the number of instructions as its length; extended filters may not be read at all.
  const length = Buffer.alloc(4);
  return attempt(SYS.getsockopt, fd, SOL_SOCKET, OPTION.filter, 0, length) < 0 || length.readUInt32LE() > 0;
}

/** 0 for one that the socket does not have. */
export function inetOption(fd: number, name: keyof typeof INET_OPTION): number {
  const [level, number] = INET_OPTION[name];
  return intOption(fd, level, number) ?? 0;
}

function defaultTtl(): number {
  return Number(fs.readFileSync("/proc/sys/net/ipv4/ip_default_ttl", "utf8"));
}

type OptionRow = readonly [name: string, level: number, number: number];

/** Options without a place in an image; asm-generic/socket.h, linux/in.h, linux/in6.h, linux/tcp.h, linux/udp.h. */
const ANY: readonly OptionRow[] = [
  ["SO_TIMESTAMP", SOL_SOCKET, 29],
  ["SO_TIMESTAMPNS", SOL_SOCKET, 35],
  ["SO_TIMESTAMPING", SOL_SOCKET, 37],
  ["SO_RXQ_OVFL", SOL_SOCKET, 40],
  ["SO_PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF],
  ["SO_BUSY_POLL", SOL_SOCKET, 46],
  ["SO_ZEROCOPY", SOL_SOCKET, 60],
  ["SO_TXTIME", SOL_SOCKET, 61],
  ["SO_PASSPIDFD", SOL_SOCKET, 76],
];
const IP: readonly OptionRow[] = [
  ["IP_TOS", IPPROTO_IP, 1],
  ["IP_MTU_DISCOVER", IPPROTO_IP, 10],
  ["IP_RECVERR", IPPROTO_IP, 11],
  ["IP_RECVTTL", IPPROTO_IP, 12],
  ["IP_RECVTOS", IPPROTO_IP, 13],
  ["IP_TRANSPARENT", IPPROTO_IP, 19],
  ["IP_RECVORIGDSTADDR", IPPROTO_IP, 20],
  ["IP_MINTTL", IPPROTO_IP, 21],
];
const IPV6: readonly OptionRow[] = [
  ["IPV6_UNICAST_HOPS", IPPROTO_IPV6, 16],
  ["IPV6_MTU_DISCOVER", IPPROTO_IPV6, 23],
  ["IPV6_RECVERR", IPPROTO_IPV6, 25],
  ["IPV6_RECVPKTINFO", IPPROTO_IPV6, 49],
  ["IPV6_RECVHOPLIMIT", IPPROTO_IPV6, 51],
  ["IPV6_DONTFRAG", IPPROTO_IPV6, 62],
  ["IPV6_RECVTCLASS", IPPROTO_IPV6, 66],
  ["IPV6_TCLASS", IPPROTO_IPV6, 67],
  ["IPV6_TRANSPARENT", IPPROTO_IPV6, 75],
];
const TCP: readonly OptionRow[] = [
  ["TCP_SYNCNT", SOL_TCP, 7],
  ["TCP_LINGER2", SOL_TCP, 8],
  ["TCP_DEFER_ACCEPT", SOL_TCP, 9],
  ["TCP_CONGESTION", SOL_TCP, 13],
  ["TCP_USER_TIMEOUT", SOL_TCP, 18],
  ["TCP_FASTOPEN", SOL_TCP, 23],
  ["TCP_NOTSENT_LOWAT", SOL_TCP, 25],
  ["TCP_FASTOPEN_CONNECT", SOL_TCP, 30],
  ["TCP_ULP", SOL_TCP, 31],
];
const UDP: readonly OptionRow[] = [
  ["IP_MULTICAST_IF", IPPROTO_IP, 32],
  ["IP_MULTICAST_TTL", IPPROTO_IP, 33],
  ["IP_MULTICAST_LOOP", IPPROTO_IP, 34],
  ["IPV6_MULTICAST_IF", IPPROTO_IPV6, 17],
  ["IPV6_MULTICAST_HOPS", IPPROTO_IPV6, 18],
  ["IPV6_MULTICAST_LOOP", IPPROTO_IPV6, 19],
  ["UDP_CORK", IPPROTO_UDP, 1],
  ["UDP_ENCAP", IPPROTO_UDP, 100],
  ["UDP_SEGMENT", IPPROTO_UDP, 103],
  ["UDP_GRO", IPPROTO_UDP, 104],
];
/** Of a socket that does not listen it is a limit for its own connection, which it has by then. */
const OF_LISTENER: readonly OptionRow[] = [["TCP_MAXSEG", SOL_TCP, 2]];
/** The longest value, a name. */
const VALUE_BYTES = 16;

/** Names of the options that are not as a new socket of this kind has them and that an image has no place for. */
export function unsavedOptions(fd: number): string[] {
  const int = (name: number): number => intOption(fd, SOL_SOCKET, name) ?? 0;
  const [family, type, protocol] = [int(SO_DOMAIN), int(SO_TYPE), int(SO_PROTOCOL)];
  const fresh = attempt(SYS.socket, family, type | SOCK_CLOEXEC, protocol);
  if (fresh < 0) return [];
  try {
    const isSame = ([, level, number]: OptionRow): boolean => {
      const value = getOption(fd, level, number, VALUE_BYTES);
      return value === undefined || value.equals(getOption(fresh, level, number, VALUE_BYTES) ?? value);
    };
    return rowsFor(fd, family, protocol)
      .filter((row) => !isSame(row))
      .map(([name]) => name);
  } finally {
    attempt(SYS.close, fresh);
  }
}

function rowsFor(fd: number, family: number, protocol: number): readonly OptionRow[] {
  if (family !== AF_INET && family !== AF_INET6) return ANY;
  const isListening = intOption(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1;
  return [
    ...ANY,
    ...IP,
    ...(family === AF_INET6 ? IPV6 : []),
    ...(protocol === IPPROTO_TCP ? [...TCP, ...(isListening ? OF_LISTENER : [])] : UDP),
  ];
}

/** Room for filling queues, in bytes: what waited in them fitted under limits that may have been lowered since. */
const ROOM = 4 << 20;
/** Most that SO_SNDBUFFORCE takes, half of an int. */
const MAX_ROOM = 0x3fff_ffff;

/** Buffers that hold what is put into them now; their sizes come last. */
export function makeRoom(fd: number, bytes: number): void {
  const room = Math.min(MAX_ROOM, Math.max(ROOM, bytes * 4));
  const now = (name: number): number => intOption(fd, SOL_SOCKET, name) ?? 0;
  if (now(OPTION.sendBuffer) < room) setSize(fd, OPTION.sendBufferForce, OPTION.sendBuffer, room);
  if (now(OPTION.receiveBuffer) < room) setSize(fd, OPTION.receiveBufferForce, OPTION.receiveBuffer, room);
}

/** Options that count when a socket is bound. */
export function optionsBeforeBind(fd: number, socket: ImageInet): void {
  const set = (name: keyof typeof INET_OPTION, value: boolean): void => {
    const [level, number] = INET_OPTION[name];
    setOption(`set the option ${name} of a socket`, fd, level, number, Number(value));
  };
  if (socket.family === AF_INET6) set("v6only", socket.v6only);
  if (socket.ip.freebind === true) set("freebind", true);
  if (socket.opts.so_reuseport === true)
    setOption("set SO_REUSEPORT or SO_REUSEADDR of a socket", fd, SOL_SOCKET, SWITCHES.so_reuseport, 1);
  if (socket.ifindex !== 0)
    setOption("bind a socket to its interface", fd, SOL_SOCKET, OPTION.interface, socket.ifindex);
  // Connections of the dead process that linger must not stand in the way; the option itself is set again later.
  if (socket.protocol === IPPROTO_TCP)
    setOption("set SO_REUSEADDR of a socket", fd, SOL_SOCKET, SWITCHES.reuseaddr, 1);
}

/** All other options, once everything is in the queues. Errors: KernelError. */
export function setOptions(fd: number, socket: ImageSocket): void {
  const { opts } = socket;
  for (const [key, name] of Object.entries(SWITCHES) as [keyof typeof SWITCHES, number][]) {
    const wanted = opts[key];
    if (wanted === undefined) continue;
    setInt(fd, name, Number(wanted), key);
  }
  setInt(fd, OPTION.priority, opts.so_priority ?? 0, "so_priority");
  setInt(fd, OPTION.receiveLowWater, opts.so_rcvlowat ?? 1, "so_rcvlowat");
  if (opts.so_mark !== undefined) setInt(fd, OPTION.mark, opts.so_mark, "so_mark");
  setTime(fd, OPTION.receiveTimeout, opts.so_rcv_tmo_sec, opts.so_rcv_tmo_usec);
  setTime(fd, OPTION.sendTimeout, opts.so_snd_tmo_sec, opts.so_snd_tmo_usec);
  if (opts.so_linger !== undefined)
    setOption("set SO_LINGER of a socket", fd, SOL_SOCKET, OPTION.linger, s32(1, opts.so_linger));
  if (socket.family === AF_INET || socket.family === AF_INET6) setInetOptions(fd, socket);
  setSizes(fd, socket);
}

/** An option is only touched when it differs: setting one may need rights that having it does not. */
function setInt(fd: number, name: number, value: number, key: string): void {
  if (intOption(fd, SOL_SOCKET, name) === value) return;
  setOption(`set the option ${key} of a socket`, fd, SOL_SOCKET, name, value);
}

function setTime(fd: number, name: number, seconds: bigint, microseconds: bigint): void {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(seconds, 0);
  time.writeBigInt64LE(microseconds, 8);
  if (getOption(fd, SOL_SOCKET, name, 16)?.equals(time) !== true)
    setOption("set a time limit of a socket", fd, SOL_SOCKET, name, time);
}

function setInetOptions(fd: number, { ip, tcp, protocol }: ImageInet): void {
  const set = (name: keyof typeof INET_OPTION, value: boolean | number | undefined): void => {
    if (value === undefined) return;
    const [level, number] = INET_OPTION[name];
    if (intOption(fd, level, number) !== Number(value))
      setOption(`set the option ${name} of a socket`, fd, level, number, Number(value));
  };
  set("pktinfo", ip.pktinfo);
  set("freebind", ip.freebind);
  set("ttl", ip.ttl);
  if (protocol !== IPPROTO_TCP) return;
  for (const name of ["nodelay", "cork", "keepidle", "keepintvl", "keepcnt"] as const) set(name, tcp[name]);
}

/** The kernel doubles what it is given; an image has what the kernel tells, and whether the program chose it. */
function setSizes(fd: number, { opts }: ImageSocket): void {
  const sizes = [
    [OPTION.sendBuffer, OPTION.sendBufferForce, opts.so_sndbuf],
    [OPTION.receiveBuffer, OPTION.receiveBufferForce, opts.so_rcvbuf],
  ] as const;
  for (const [name, force, size] of sizes)
    if (size > 0 && intOption(fd, SOL_SOCKET, name) !== size) setSize(fd, force, name, size >> 1);
  trySetOption(fd, SOL_SOCKET, OPTION.bufferLock, (opts.so_buf_lock ?? 0) & SOCK_BUF_LOCK_MASK);
}

/** Without CAP_NET_ADMIN a size goes up to the limits of the host alone. */
function setSize(fd: number, force: number, name: number, size: number): void {
  if (trySetOption(fd, SOL_SOCKET, force, size) < 0) trySetOption(fd, SOL_SOCKET, name, size);
}
