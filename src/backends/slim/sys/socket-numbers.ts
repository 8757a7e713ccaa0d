/** Numbers of sys/socket.h, linux/in.h and linux/netlink.h. */
export const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const;
export const SOCK_TYPE = { stream: 1, dgram: 2, raw: 3, seqpacket: 5 } as const;
export const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO = { ip: 0, tcp: 6, udp: 17, ipv6: 41 } as const;

/** States that all families use, net/tcp_states.h. */
export const STATE = { established: 1, close: 7, listen: 10 } as const;
