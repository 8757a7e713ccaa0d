import { range } from "../io/domains.js";
import { enumTable } from "../io/enums.js";

/** Address families, include/linux/socket.h, socket(2). */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;

/** Types of sockets, include/linux/net.h, socket(2). */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
export const SOCK_PACKET = 10;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCKET_TYPES = enumTable("type", {
  STREAM: SOCK_STREAM,
  DGRAM: SOCK_DGRAM,
  RAW: SOCK_RAW,
  SEQPACKET: SOCK_SEQPACKET,
  PACKET: SOCK_PACKET,
});

/** IP protocols, include/uapi/linux/in.h, ip(7). */
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_UDPLITE = 136;

/** TCP states, used by all families, include/net/tcp_states.h. */
export const TCP_ESTABLISHED = 1;
export const TCP_CLOSE = 7;
export const TCP_LISTEN = 10;

/** TCP_ESTABLISHED to TCP_CLOSING. */
export const TCP_STATES = range(TCP_ESTABLISHED, 11);
/** Unconnected netlink sockets have 0 once they were bound or connected, net/netlink/af_netlink.c; new ones that of TCP. */
export const NETLINK_STATES = range(0, 11);
export const PORTS = range(0, 0xffff);
/** RFC 7323, 2.3; TCP_REPAIR_OPTIONS fails above it. */
export const WINDOW_SCALES = range(0, 14);

/** socket_state, include/uapi/linux/net.h. */
export const SS_UNCONNECTED = 1;
export const SS_CONNECTED = 3;

/** SS_FREE to SS_DISCONNECTING. */
export const SOCKET_STATES = range(0, 4);
/** errno values, include/linux/err.h. */
export const SOCKET_ERRORS = range(0, 4095);

/** Levels of getsockopt(2), include/linux/socket.h. */
export const SOL_SOCKET = 1;
export const SOL_TCP = 6;
export const SOL_PACKET = 263;
export const SOL_NETLINK = 270;

/** Options of SOL_SOCKET that are not in an option table, include/uapi/asm-generic/socket.h, socket(7). */
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ACCEPTCONN = 30;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_PEEK_OFF = 42;

/** Both buffer sizes were set by the program: SO_BUF_LOCK, include/uapi/linux/socket.h. */
export const SOCK_BUF_LOCK_MASK = 3;
export const BUFFER_LOCKS = range(0, SOCK_BUF_LOCK_MASK);
/** Those, and an explicitly bound address and port: SOCK_BINDADDR_LOCK and SOCK_BINDPORT_LOCK, include/net/sock.h. */
export const SOCK_LOCKS = range(0, 15);
/** TPACKET_V1 to TPACKET_V3, include/uapi/linux/if_packet.h. */
export const PACKET_VERSIONS = range(0, 2);

/** Flags of recvmsg(2) and sendmsg(2), include/linux/socket.h. */
export const MSG_PEEK = 2;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** Descriptors sent with a message, unix(7). */
export const SCM_RIGHTS = 1;

/** Offset and size of the path in struct sockaddr_un, unix(7). */
export const SUN_PATH = 2;
export const SUN_PATH_BYTES = 108;
export const SOCKADDR_UN_BYTES = SUN_PATH + SUN_PATH_BYTES;

/** shutdown(2) of both directions, as bits RCV_SHUTDOWN and SEND_SHUTDOWN, include/net/sock.h. */
export const SHUTDOWN_MASK = 3;
export const SHUTDOWNS = range(0, SHUTDOWN_MASK);

/** ioctl(2) of sockets, include/uapi/asm-generic/sockios.h, include/uapi/linux/sockios.h, include/uapi/linux/un.h. */
export const SIOCINQ = 0x541b;
export const SIOCOUTQ = 0x5411;
export const SIOCOUTQNSD = 0x894b;
export const SIOCUNIXFILE = 0x89e0;

/** Netlink protocols by number, include/uapi/linux/netlink.h, netlink(7). */
export const NETLINK_PROTOCOLS = enumTable("netlink_protocol", {
  ROUTE: 0,
  USERSOCK: 2,
  FIREWALL: 3,
  SOCK_DIAG: 4,
  NFLOG: 5,
  XFRM: 6,
  SELINUX: 7,
  ISCSI: 8,
  AUDIT: 9,
  FIB_LOOKUP: 10,
  CONNECTOR: 11,
  NETFILTER: 12,
  IP6_FW: 13,
  KOBJECT_UEVENT: 15,
  GENERIC: 16,
  SCSITRANSPORT: 18,
  RDMA: 20,
  CRYPTO: 21,
  SMC: 22,
});

/** Messages of netlink, include/uapi/linux/netlink.h and include/uapi/linux/sock_diag.h. */
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_LIST_MEMBERSHIPS = 9;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST_DUMP = 0x301;
export const SOCK_DIAG_BY_FAMILY = 20;

/** Flags of struct sock in linux-cr streams: bits of enum sock_flags, include/net/sock.h. */
export const SOCK_DEAD = 1n;
