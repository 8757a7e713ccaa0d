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
  SOCK_CLOEXEC,
  SOL_SOCKET,
  SOL_TCP,
} from "../../../../linux/sockets.js";
import { SYS } from "../../sys/abi-x64.js";
import { getOption, intOption } from "../../sys/socket-calls.js";

import { attempt } from "../../sys/syscall.js";

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
