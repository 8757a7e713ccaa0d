import { type Domain, range } from "../../../io/domains.js";
import {
  AF_NETLINK,
  NETLINK_STATES,
  SHUTDOWNS,
  SOCK_LOCKS,
  SOCKADDR_UN_BYTES,
  SOCKET_ERRORS,
  SOCKET_STATES,
  SOCKET_TYPES,
  TCP_STATES,
} from "../../../linux/sockets.js";
import { bytes, inner, struct, word } from "../../../schema/struct.js";

const UNIX_ADDRESS_LENGTH = range(0, SOCKADDR_UN_BYTES);

export const LINGER = struct("linger", 8, "SO_LINGER of socket(7)", {
  onoff: word("s32", 0),
  seconds: word("s32", 4),
});

export const SOCKET_PART = struct("socket", 16, "struct socket of the kernel", {
  flags: word("u64", 0),
  state: word("u8", 8, {
    doc: "1 unconnected, 2 connecting, 3 connected, 4 disconnecting",
    domain: SOCKET_STATES,
    kept: false,
  }),
});

export const SOCK_COMMON = struct("sock_common", 12, "Common state of all families", {
  bound_dev_if: word("u32", 0),
  reuse: word("u32", 4),
  family: word("u16", 8),
  state: word("u8", 10),
});

interface SocketRecord {
  readonly sock_common?: { readonly family?: number };
}

const isNetlink = ({ sock_common }: SocketRecord): boolean => sock_common?.family === AF_NETLINK;

/** Of a netlink socket nothing depends on its type. */
function typesOf(socket: SocketRecord): Domain | undefined {
  return isNetlink(socket) ? undefined : SOCKET_TYPES;
}

export const SOCK = struct("sock", 72, "Options, errors and state, socket(7)", {
  rcvlowat: word("s64", 0),
  flags: word("u64", 8),
  rcvtimeo: word("s64", 16, { doc: "nanoseconds" }),
  sndtimeo: word("s64", 24, { doc: "nanoseconds" }),
  err: word("u32", 32, { domain: SOCKET_ERRORS, kept: false }),
  err_soft: word("u32", 36, { domain: SOCKET_ERRORS, kept: false }),
  priority: word("u32", 40),
  rcvbuf: word("s32", 44),
  sndbuf: word("s32", 48),
  type: word("u16", 52, { domain: (_, __, record) => typesOf(record) }),
  backlog: word("s16", 54),
  protocol: word("u8", 56),
  state: word("u8", 57, {
    doc: "TCP state, 10 is listening",
    domain: (_, __, record) => (isNetlink(record) ? NETLINK_STATES : TCP_STATES),
  }),
  shutdown: word("u8", 58, { domain: SHUTDOWNS, kept: false }),
  userlocks: word("u8", 59, { domain: SOCK_LOCKS, kept: false }),
  no_check: word("u8", 60),
  linger: inner(LINGER, 64),
});

export const SOCKET_0ABE2FE = struct("SOCKET", 112, "SOCKET as header sets 0abe2fe to f678773 wrote it", {
  socket: inner(SOCKET_PART, 8),
  sock_common: inner(SOCK_COMMON, 24),
  sock: inner(SOCK, 40),
});

export const SOCKET = struct("SOCKET", 120, "A socket; SOCKET_UNIX or SOCKET_INET follows", {
  has_buffers: word("u8", 8, { doc: "presumably: queues follow" }),
  socket: inner(SOCKET_PART, 16),
  sock_common: inner(SOCK_COMMON, 32),
  sock: inner(SOCK, 48),
});

export const SOCKET_QUEUE = struct(
  "SOCKET_QUEUE",
  16,
  "Queued messages of a socket, which has two queues: receive, then send",
  {
    skb_count: word("u32", 8),
    total_bytes: word("u32", 12, { doc: "sum of skb_len" }),
  },
);

export const SOCKET_BUFFER_0ABE2FE = struct(
  "SOCKET_BUFFER",
  16,
  "SOCKET_BUFFER as header sets 0abe2fe to d55d4c8 wrote it",
  {
    sk_objref: word("s32", 8),
    pr_objref: word("s32", 12),
  },
);

export const SOCKET_BUFFER = struct(
  "SOCKET_BUFFER",
  104,
  "One queued message; a BUFFER follows, then its fragments",
  {
    transport_header: word("u32", 8),
    network_header: word("u32", 12),
    mac_header: word("u32", 16),
    lin_len: word("u32", 20, { doc: "bytes of the BUFFER that follows" }),
    frg_len: word("u32", 24),
    skb_len: word("u32", 28),
    hdr_len: word("u32", 32),
    mac_len: word("u32", 36),
    data_offset: word("u32", 40, { doc: "offset of the message in the BUFFER" }),
    sk_objref: word("s32", 44),
    pr_objref: word("s32", 48),
    protocol: word("u16", 52),
    nr_frags: word("u16", 54, { doc: "SOCKET_FRAGs that follow" }),
    cb: bytes(56, 48),
  },
);

export const SOCKET_FRAG = struct(
  "SOCKET_FRAG",
  16,
  "A page of a queued message, which follows without a record header",
  {
    size: word("u32", 8, { doc: "bytes used of the page" }),
    offset: word("u32", 12, { doc: "offset of these bytes in the page" }),
  },
);

export const SOCKET_UNIX_0ABE2FE = struct(
  "SOCKET_UNIX",
  256,
  "SOCKET_UNIX as header sets 0abe2fe to f678773 wrote it",
  {
    this: word("s32", 8),
    peer: word("s32", 12),
    peercred_uid: word("u32", 16),
    peercred_gid: word("u32", 20),
    flags: word("u32", 24),
    laddr_len: word("u32", 28),
    raddr_len: word("u32", 32, { domain: UNIX_ADDRESS_LENGTH, kept: false }),
    laddr: bytes(36, SOCKADDR_UN_BYTES),
    raddr: bytes(146, SOCKADDR_UN_BYTES),
  },
);

export const SOCKET_UNIX = struct(
  "SOCKET_UNIX",
  256,
  "Names and peer of a Unix socket; a STRING with the directory follows if the name is relative",
  {
    this: word("s32", 8, { doc: "objref of this socket" }),
    peer: word("s32", 12, { doc: "objref of the peer, 0 for none" }),
    peercred: word("s32", 16, { doc: "presumably a CRED" }),
    flags: word("u32", 20, { doc: "1: the name is still linked" }),
    laddr_len: word("u32", 24),
    raddr_len: word("u32", 28, { domain: UNIX_ADDRESS_LENGTH, kept: false }),
    laddr: bytes(32, SOCKADDR_UN_BYTES, { doc: "sockaddr_un, laddr_len bytes of it" }),
    raddr: bytes(142, SOCKADDR_UN_BYTES),
  },
);
