import { range } from "../../../io/domains.js";
import { PORTS, SHUTDOWNS, TCP_STATES, WINDOW_SCALES } from "../../../linux/sockets.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { SK_FAMILY, SK_PROTO, SK_STATE, SK_TYPE } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY, SK_SHUTDOWN } from "./sk-opts.js";

export const IP_OPTS_RAW_ENTRY = message("ip_opts_raw_entry", "Options of a raw IP socket.", {
  hdrincl: optional(1, "bool", { doc: "programs send their own IP headers" }),
  nodefrag: optional(2, "bool", { doc: "fragments are not reassembled" }),
  checksum: optional(3, "bool", { doc: "the kernel fills in checksums" }),
  icmpv_filter: repeated(4, "uint32", { doc: "ICMP types that are not delivered, as a mask" }),
});
export type IpOptsRawEntry = Value<typeof IP_OPTS_RAW_ENTRY>;

export const IP_OPTS_ENTRY = message("ip_opts_entry", "Options of the level IPPROTO_IP or IPPROTO_IPV6.", {
  freebind: optional(1, "bool", { doc: "may bind to a nonlocal address" }),
  raw: optional(4, IP_OPTS_RAW_ENTRY, { since: "3.12" }),
  pktinfo: optional(5, "bool", { doc: "receives the destination address of each packet", since: "3.18" }),
  tos: optional(6, "uint32", { doc: "type of service", since: "3.19" }),
  ttl: optional(7, "uint32", { doc: "time to live", since: "4.0" }),
});
export type IpOptsEntry = Value<typeof IP_OPTS_ENTRY>;

export const TCP_OPTS_ENTRY = message("tcp_opts_entry", "Options of the level IPPROTO_TCP, tcp(7).", {
  cork: optional(1, "bool"),
  nodelay: optional(2, "bool"),
  keepcnt: optional(3, "uint32", { doc: "probes before the connection is dropped" }),
  keepidle: optional(4, "uint32", { doc: "seconds without traffic before the first probe" }),
  keepintvl: optional(5, "uint32", { doc: "seconds between probes" }),
});
export type TcpOptsEntry = Value<typeof TCP_OPTS_ENTRY>;

export const INET_SK_ENTRY = message("inet_sk_entry", "An IPv4 or IPv6 socket.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  ino: required(2, "uint32", { doc: "inode number; names tcp-stream-<hex>.img of a connection" }),
  family: required(3, "uint32", { show: { as: "names", table: SK_FAMILY } }),
  type: required(4, "uint32", { show: { as: "names", table: SK_TYPE }, domain: SK_TYPE }),
  proto: required(5, "uint32", { show: { as: "names", table: SK_PROTO }, domain: range(0, 255) }),
  state: required(6, "uint32", { show: { as: "names", table: SK_STATE }, domain: TCP_STATES }),
  src_port: required(7, "uint32", { doc: "local port, host byte order", domain: PORTS }),
  dst_port: required(8, "uint32", { doc: "remote port, host byte order; 0 if not connected", domain: PORTS }),
  flags: required(9, "uint32", { doc: "open flags", show: { as: "hex" } }),
  backlog: required(10, "uint32", { doc: "queue of a listening socket" }),
  src_addr: repeated(11, "uint32", {
    doc: "local address: one word for IPv4, four for IPv6, network byte order in memory",
    show: { as: "ip" },
    holds: "ip-address",
  }),
  dst_addr: repeated(12, "uint32", {
    doc: "remote address, stored as src_addr",
    show: { as: "ip" },
    holds: "ip-address",
  }),
  fown: required(13, FOWN_ENTRY),
  opts: required(14, SK_OPTS_ENTRY),
  v6only: optional(15, "bool", { doc: "no IPv4 connections" }),
  ip_opts: optional(16, IP_OPTS_ENTRY, { since: "1.8" }),
  ifname: optional(17, "string", { doc: "device of a link-local address", holds: "interface", since: "1.8" }),
  ns_id: optional(18, "uint32", { doc: "network namespace", since: "3.8" }),
  shutdown: optional(19, SK_SHUTDOWN, { doc: "closed directions", domain: SHUTDOWNS, since: "3.0" }),
  tcp_opts: optional(20, TCP_OPTS_ENTRY, { since: "4.0" }),
});
export type InetSkEntry = Value<typeof INET_SK_ENTRY>;

export const TCP_STREAM_ENTRY = message(
  "tcp_stream_entry",
  "A TCP connection; the bytes of both queues follow the record.",
  {
    inq_len: required(1, "uint32", { doc: "bytes received and not read, which follow first" }),
    inq_seq: required(2, "uint32", { doc: "sequence number after the received bytes" }),
    outq_len: required(3, "uint32", {
      doc: "bytes sent and not acknowledged, or not sent, which follow second",
    }),
    outq_seq: required(4, "uint32", { doc: "sequence number after the bytes to send" }),
    opt_mask: required(5, "uint32", {
      doc: "negotiated options: 1 timestamps, 2 selective acknowledgements, 4 window scaling",
      show: { as: "hex" },
    }),
    snd_wscale: required(6, "uint32", { doc: "window scale of the peer", domain: WINDOW_SCALES }),
    mss_clamp: required(7, "uint32", { doc: "largest segment in bytes" }),
    rcv_wscale: optional(8, "uint32", { doc: "local window scale", domain: WINDOW_SCALES }),
    timestamp: optional(9, "uint32", { doc: "value of the timestamp clock", since: "0.4" }),
    cork: optional(10, "bool", { since: "0.8", deprecated: true }),
    nodelay: optional(11, "bool", { since: "0.8", deprecated: true }),
    unsq_len: optional(12, "uint32", { doc: "how many of outq_len were never sent", since: "1.0" }),
    snd_wl1: optional(13, "uint32", { doc: "sequence number of the last window update", since: "2.5" }),
    snd_wnd: optional(14, "uint32", { doc: "window of the peer, in bytes", since: "2.5" }),
    max_window: optional(15, "uint32", {
      doc: "largest window of the peer, in bytes",
      since: "2.5",
    }),
    rcv_wnd: optional(16, "uint32", { doc: "local window in bytes", since: "2.5" }),
    rcv_wup: optional(17, "uint32", { doc: "sequence number of the last local window update", since: "2.5" }),
  },
);
export type TcpStreamEntry = Value<typeof TCP_STREAM_ENTRY>;
