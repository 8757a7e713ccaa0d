import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { AF_INET6, IPPROTO_TCP, SOCK_BUF_LOCK_MASK, SOCK_STREAM } from "../../linux/sockets.js";
import { type Socket, type SocketOptions, SWITCHES, type Switch } from "../socket.js";
import type { StreamReader } from "./reader.js";

/** Switches that have a bit of SOCKET_EXTRA.so_options; bit 32 + n says that switch n is stored. */
const EXTRA_SWITCHES: readonly Switch[] = SWITCHES.slice(0, 13);
const STORED = 32n;
/** Without bits of what is stored, those up to SO_OOBINLINE are. */
const BASE_SWITCHES = 9;

/** Bits in the kernel of 2011: of struct socket, and of struct sock. */
export const SOCKET_BITS = { SO_PASSCRED: 8n, SO_PASSSEC: 0x10n } as const satisfies Bits;
export const SOCK_BITS = {
  SO_OOBINLINE: 4n,
  SO_KEEPALIVE: 8n,
  SO_BROADCAST: 0x40n,
  SO_DONTROUTE: 0x2000n,
} as const satisfies Bits;
export const LINGER_BIT = 0x10n;
type Bits = Partial<Record<Switch, bigint>>;
type Switches = SocketOptions["switches"];

export function bitsOf(bits: Bits, switches: Switches): bigint {
  let sum = 0n;
  for (const [name, bit] of Object.entries(bits)) if (switches[name as Switch] === true) sum |= bit;
  return sum;
}

function switchesIn(bits: Bits, word: bigint): Switches {
  return Object.fromEntries(Object.entries(bits).map(([name, bit]) => [name, (word & bit) !== 0n]));
}

export function decodeOptions(reader: StreamReader, part: Part): SocketOptions {
  const { value } = reader.get(part, RECORDS.SOCKET);
  const { sock, sock_common: common } = value;
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const inet = reader.find(part, RECORDS.SOCKET_INET)?.value;
  const isTcp = sock.protocol === IPPROTO_TCP && sock.type === SOCK_STREAM;
  const tcp = isTcp ? inet?.tcp : undefined;
  const ticks = (time = 0): number | undefined => (time < TICKS ? undefined : Math.round(time / TICKS));
  const switches = extra === undefined ? oldSwitches(value) : extraSwitches(extra.so_options);
  const isV6 = common.family === AF_INET6;
  return {
    switches: isV6 ? { ...switches, IPV6_V6ONLY: extra?.v6_only === 1 } : switches,
    // The kernel doubles what a program asks for; a stream has the half.
    sendBuffer: sock.sndbuf * 2,
    receiveBuffer: sock.rcvbuf * 2,
    lockedBuffers: sock.userlocks & SOCK_BUF_LOCK_MASK,
    sendTimeout: timeout(sock.sndtimeo),
    receiveTimeout: timeout(sock.rcvtimeo),
    priority: extra?.so_priority ?? sock.priority,
    mark: extra?.so_mark || undefined,
    receiveLowat: Number(sock.rcvlowat),
    linger: sock.linger.onoff === 0 ? undefined : sock.linger.seconds,
    ttl: inet?.uc_ttl !== undefined && inet.uc_ttl > 0 ? inet.uc_ttl : undefined,
    keepIdle: ticks(tcp?.keepalive_time),
    keepInterval: ticks(tcp?.keepalive_intvl),
    keepCount: tcp?.keepalive_probes || undefined,
    device: undefined,
    interfaceIndex: extra?.ifindex ?? common.bound_dev_if,
    filter: [],
  };
}

function timeout(ns: bigint): bigint {
  return ns < 0n || ns >= NO_LIMIT ? 0n : ns;
}

/** Those that are not stored are left out. */
function extraSwitches(options: bigint): Switches {
  const switches: Partial<Record<Switch, boolean>> = {};
  for (const [bit, name] of EXTRA_SWITCHES.entries()) {
    const isStored =
      options >> STORED === 0n ? bit < BASE_SWITCHES : ((options >> (STORED + BigInt(bit))) & 1n) !== 0n;
    if (isStored) switches[name] = ((options >> BigInt(bit)) & 1n) !== 0n;
  }
  return switches;
}

/** What SOCKET itself says of them. */
function oldSwitches({ sock, socket, sock_common: common }: RecordValue<typeof RECORDS.SOCKET>): Switches {
  return {
    SO_REUSEADDR: common.reuse !== 0,
    SO_NO_CHECK: sock.no_check !== 0,
    ...switchesIn(SOCKET_BITS, socket.flags),
    ...switchesIn(SOCK_BITS, sock.flags),
  };
}

export function encodeExtra({ inode, options, unix }: Socket): Readonly<Record<string, unknown>> {
  const { switches, mark = 0, priority = 0, interfaceIndex } = options;
  const { mode = 0, uid = 0, gid = 0 } = unix?.permissions ?? {};
  let stored = 0n;
  for (const [bit, name] of EXTRA_SWITCHES.entries()) {
    const isOn = switches[name];
    if (isOn !== undefined) stored |= (1n << (STORED + BigInt(bit))) | (isOn ? 1n << BigInt(bit) : 0n);
  }
  return {
    inode: BigInt(inode),
    ...{ mode, uid, gid },
    flags: unix?.permissions === undefined ? 0 : PERMISSIONS,
    so_options: stored,
    v6_only: switches.IPV6_V6ONLY === true ? 1 : 0,
    ifindex: interfaceIndex,
    so_mark: mark,
    so_priority: priority,
  };
}

/** SOCKET_EXTRA.flags: mode and owner of the socket's file are stored. */
export const PERMISSIONS = 1;

/** Times of TCP are in ticks of the kernel, which are taken for milliseconds; below a second it is the kernel's own. */
export const TICKS = 1000;

/** Above it a time means that there is no limit: the kernel's longest, whatever the length of its ticks. */
export const NO_LIMIT = 1n << 61n;
