import type { SkOptsEntry } from "../../formats/criu/tables/sk-opts.js";
import { IPPROTO_IP, IPPROTO_IPV6, SOL_TCP } from "../../linux/sockets.js";

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
export const INET_OPTION = {
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
