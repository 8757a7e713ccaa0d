import type { InetSkEntry, IpOptsEntry, TcpOptsEntry } from "../../../formats/criu/tables/sk-inet.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { wordBytes } from "../../../io/words.js";
import { AF_INET6, IPPROTO_TCP, TCP_CLOSE, TCP_LISTEN } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import {
  INET_OPTION,
  optionBits,
  type SocketContext,
  writeSocketExtra,
  writeSocketRecord,
} from "./sockets.js";
import {
  connectionFields,
  connectionOf,
  type TcpConnection,
  writeByteQueue,
  writeTcpExtra,
} from "./tcp-connections.js";

const SOCKADDR_BYTES = 16;
/** SOCKET_INET.cmsg_flags: a program gets the destination of each packet. */
const CMSG_PKTINFO = 1;
/** tcp.nonagle. */
const NAGLE_OFF = 1;
const NAGLE_CORK = 2;
/** Times of TCP are in ticks of the kernel, which we take for milliseconds. */
const TICKS = 1000;

/** SOCK object of a TCP or UDP socket. A connection that the set does not hold comes back as a closed, unbound socket. */
export function writeInetSocket(context: Context, file: OpenFile): number {
  const entry = file.record as InetSkEntry;
  return context.ref("SOCK", `inet ${file.id}`, (objref) => {
    const connection = isConnection(entry) ? connectionOf(context, entry.ino) : undefined;
    writeInetRecords(context, entry, {
      get label() {
        return `open file ${file.id} (${file.label})`;
      },
      connection,
    });
    if (entry.state === TCP_LISTEN) return;
    context.deferred.push(() => {
      writeByteQueue(context, objref, connection?.received);
      writeByteQueue(context, objref, connection?.unsent);
    });
  });
}

/** What stands beside an entry of a socket. */
export interface InetFacts {
  /** What losses call it: asked for when something is lost. */
  readonly label: string;
  readonly connection: TcpConnection | undefined;
  /** Index of the interface that it is bound to. */
  readonly ifindex?: number;
}

/** SOCKET, SOCKET_INET and what our extension adds; the queues stand elsewhere. */
export function writeInetRecords(context: SocketContext, entry: InetSkEntry, facts: InetFacts): void {
  const { connection } = facts;
  const isLost = isConnection(entry) && connection === undefined;
  if (isLost)
    context.losses.add(
      facts.label,
      "its connection; it comes back as a closed socket",
      "the set was dumped to close its connections and holds nothing of them",
    );
  writeSocketRecord(context, {
    get label() {
      return facts.label;
    },
    family: entry.family,
    type: entry.type,
    protocol: entry.proto,
    state: isLost ? TCP_CLOSE : entry.state,
    backlog: entry.backlog,
    shutdown: entry.shutdown,
    opts: entry.opts,
  });
  const none = { port: 0, words: [] };
  writeAddresses(context, entry, {
    local: isLost ? none : { port: entry.src_port, words: entry.src_addr },
    remote: isLost ? none : { port: entry.dst_port, words: entry.dst_addr },
    connection,
  });
  writeSocketExtra(context, entry.opts, {
    ino: entry.ino,
    v6only: entry.v6only,
    options: inetOptions(entry, connection),
    ...(facts.ifindex === undefined ? {} : { ifindex: facts.ifindex }),
  });
  if (connection !== undefined) writeTcpExtra(context, connection);
  tellOptions(context, facts, entry);
}

/** Whether a socket is, or was, an end of a TCP connection. */
function isConnection({ proto, state }: InetSkEntry): boolean {
  return proto === IPPROTO_TCP && state !== TCP_LISTEN && state !== TCP_CLOSE;
}

interface Address {
  readonly port: number;
  /** As criu stores them: network byte order in memory. */
  readonly words: readonly number[];
}

function writeAddresses(
  context: SocketContext,
  { family, ip_opts: ip, tcp_opts: tcp }: InetSkEntry,
  {
    local,
    remote,
    connection,
  }: {
    readonly local: Address;
    readonly remote: Address;
    readonly connection: TcpConnection | undefined;
  },
): void {
  const isV6 = family === AF_INET6;
  const own = isV6 ? 0 : (local.words[0] ?? 0);
  context.writer.record(RECORDS.SOCKET_INET, {
    daddr: isV6 ? 0 : (remote.words[0] ?? 0),
    rcv_saddr: own,
    saddr: own,
    dport: swapped(remote.port),
    num: local.port,
    sport: swapped(local.port),
    uc_ttl: ip?.ttl ?? -1,
    cmsg_flags: ip?.pktinfo === true ? CMSG_PKTINFO : 0,
    tcp: { ...tcpFields(tcp), ...(connection === undefined ? {} : connectionFields(connection)) },
    inet6: isV6 ? { saddr: v6(local.words), rcv_saddr: v6(local.words), daddr: v6(remote.words) } : {},
    laddr_len: SOCKADDR_BYTES,
    raddr_len: remote.port === 0 ? 0 : SOCKADDR_BYTES,
    laddr: sockaddr(family, local),
    raddr: remote.port === 0 ? Buffer.alloc(SOCKADDR_BYTES) : sockaddr(family, remote),
  });
}

function tcpFields(tcp: TcpOptsEntry | undefined): Readonly<Record<string, number>> {
  if (tcp === undefined) return {};
  return {
    keepalive_time: (tcp.keepidle ?? 0) * TICKS,
    keepalive_intvl: (tcp.keepintvl ?? 0) * TICKS,
    keepalive_probes: tcp.keepcnt ?? 0,
    nonagle: (tcp.nodelay === true ? NAGLE_OFF : 0) | (tcp.cork === true ? NAGLE_CORK : 0),
  };
}

/** Before criu 3.14 TCP_CORK and TCP_NODELAY stood with the connection. */
function inetOptions(
  { ip_opts: ip, tcp_opts: tcp }: InetSkEntry,
  connection: TcpConnection | undefined,
): bigint {
  return (
    optionBits(INET_OPTION.freebind, ip?.freebind) |
    optionBits(INET_OPTION.pktinfo, ip?.pktinfo) |
    optionBits(INET_OPTION.cork, tcp?.cork ?? connection?.entry.cork) |
    optionBits(INET_OPTION.nodelay, tcp?.nodelay ?? connection?.entry.nodelay)
  );
}

function tellOptions(context: SocketContext, facts: InetFacts, { ifname, ip_opts: ip }: InetSkEntry): void {
  const lost: [what: string, isThere: boolean][] = [
    [`the interface ${ifname} of its address`, ifname !== undefined && ifname !== ""],
    [`its type of service ${ip?.tos}`, ip?.tos !== undefined && ip.tos !== 0],
    ["its options for raw packets", ip?.raw !== undefined && hasAny(ip)],
  ];
  for (const [what, isThere] of lost)
    if (isThere) context.losses.add(facts.label, what, "a stream has no place for this option");
}

function hasAny({ raw }: IpOptsEntry): boolean {
  return raw !== undefined && (raw.hdrincl === true || raw.nodefrag === true || raw.checksum === true);
}

/** A port in network byte order, in a field that is written in that of the image. */
function swapped(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

function v6(words: readonly number[]): Buffer {
  const four = Array.from({ length: 4 }, (_, i) => words[i] ?? 0);
  return wordBytes("u32", four, "word of an IPv6 address");
}

/** sockaddr_in; of an IPv6 address it has the family and port, the address stands in inet6. */
function sockaddr(family: number, { port, words }: Address): Buffer {
  const own = family === AF_INET6 ? [] : [words[0] ?? 0];
  const fields = [
    wordBytes("u16", [family], "address family"),
    wordBytes("be16", [port], "port"),
    wordBytes("u32", own, "IPv4 address"),
  ];
  return Buffer.concat(fields, SOCKADDR_BYTES);
}
