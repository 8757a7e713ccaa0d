import { SYS } from "../../sys/abi-x64.js";
import { getOption, intOption, SO, SOL } from "../../sys/socket-calls.js";
import { AF, IPPROTO, SOCK_CLOEXEC } from "../../sys/socket-numbers.js";
import { attempt } from "../../sys/syscall.js";

type OptionRow = readonly [name: string, level: number, number: number];

/** Options without a place in an image; asm-generic/socket.h, linux/in.h, linux/in6.h, linux/tcp.h, linux/udp.h. */
const ANY: readonly OptionRow[] = [
  ["SO_TIMESTAMP", SOL.socket, 29],
  ["SO_TIMESTAMPNS", SOL.socket, 35],
  ["SO_TIMESTAMPING", SOL.socket, 37],
  ["SO_RXQ_OVFL", SOL.socket, 40],
  ["SO_PEEK_OFF", SOL.socket, SO.peekOff],
  ["SO_BUSY_POLL", SOL.socket, 46],
  ["SO_ZEROCOPY", SOL.socket, 60],
  ["SO_TXTIME", SOL.socket, 61],
  ["SO_PASSPIDFD", SOL.socket, 76],
];
const IP: readonly OptionRow[] = [
  ["IP_TOS", IPPROTO.ip, 1],
  ["IP_MTU_DISCOVER", IPPROTO.ip, 10],
  ["IP_RECVERR", IPPROTO.ip, 11],
  ["IP_RECVTTL", IPPROTO.ip, 12],
  ["IP_RECVTOS", IPPROTO.ip, 13],
  ["IP_TRANSPARENT", IPPROTO.ip, 19],
  ["IP_RECVORIGDSTADDR", IPPROTO.ip, 20],
  ["IP_MINTTL", IPPROTO.ip, 21],
];
const IPV6: readonly OptionRow[] = [
  ["IPV6_UNICAST_HOPS", IPPROTO.ipv6, 16],
  ["IPV6_MTU_DISCOVER", IPPROTO.ipv6, 23],
  ["IPV6_RECVERR", IPPROTO.ipv6, 25],
  ["IPV6_RECVPKTINFO", IPPROTO.ipv6, 49],
  ["IPV6_RECVHOPLIMIT", IPPROTO.ipv6, 51],
  ["IPV6_DONTFRAG", IPPROTO.ipv6, 62],
  ["IPV6_RECVTCLASS", IPPROTO.ipv6, 66],
  ["IPV6_TCLASS", IPPROTO.ipv6, 67],
  ["IPV6_TRANSPARENT", IPPROTO.ipv6, 75],
];
const TCP: readonly OptionRow[] = [
  ["TCP_SYNCNT", SOL.tcp, 7],
  ["TCP_LINGER2", SOL.tcp, 8],
  ["TCP_DEFER_ACCEPT", SOL.tcp, 9],
  ["TCP_CONGESTION", SOL.tcp, 13],
  ["TCP_USER_TIMEOUT", SOL.tcp, 18],
  ["TCP_FASTOPEN", SOL.tcp, 23],
  ["TCP_NOTSENT_LOWAT", SOL.tcp, 25],
  ["TCP_FASTOPEN_CONNECT", SOL.tcp, 30],
  ["TCP_ULP", SOL.tcp, 31],
];
const UDP: readonly OptionRow[] = [
  ["IP_MULTICAST_IF", IPPROTO.ip, 32],
  ["IP_MULTICAST_TTL", IPPROTO.ip, 33],
  ["IP_MULTICAST_LOOP", IPPROTO.ip, 34],
  ["IPV6_MULTICAST_IF", IPPROTO.ipv6, 17],
  ["IPV6_MULTICAST_HOPS", IPPROTO.ipv6, 18],
  ["IPV6_MULTICAST_LOOP", IPPROTO.ipv6, 19],
  ["UDP_CORK", IPPROTO.udp, 1],
  ["UDP_ENCAP", IPPROTO.udp, 100],
  ["UDP_SEGMENT", IPPROTO.udp, 103],
  ["UDP_GRO", IPPROTO.udp, 104],
];
/** Of a socket that does not listen it is a limit for its own connection, which it has by then. */
const OF_LISTENER: readonly OptionRow[] = [["TCP_MAXSEG", SOL.tcp, 2]];
/** The longest value, a name. */
const VALUE_BYTES = 16;

/** Names of the options that are not as a new socket of this kind has them and that an image has no place for. */
export function unsavedOptions(fd: number): string[] {
  const int = (name: number): number => intOption(fd, SOL.socket, name) ?? 0;
  const [family, type, protocol] = [int(SO.domain), int(SO.type), int(SO.protocol)];
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
  if (family !== AF.inet && family !== AF.inet6) return ANY;
  const isListening = intOption(fd, SOL.socket, SO.acceptConn) === 1;
  return [
    ...ANY,
    ...IP,
    ...(family === AF.inet6 ? IPV6 : []),
    ...(protocol === IPPROTO.tcp ? [...TCP, ...(isListening ? OF_LISTENER : [])] : UDP),
  ];
}
