import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { SK_FAMILY, SK_PROTO, SK_STATE, SK_TYPE } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY, SK_SHUTDOWN } from "./sk-opts.js";

export const IP_OPTS_RAW_ENTRY = message("ip_opts_raw_entry", "", {
  hdrincl: optional(1, "bool"),
  nodefrag: optional(2, "bool"),
  checksum: optional(3, "bool"),
  icmpv_filter: repeated(4, "uint32"),
});
export type IpOptsRawEntry = Value<typeof IP_OPTS_RAW_ENTRY>;

export const IP_OPTS_ENTRY = message("ip_opts_entry", "", {
  freebind: optional(1, "bool"),
  raw: optional(4, IP_OPTS_RAW_ENTRY, { since: "3.12" }),
  pktinfo: optional(5, "bool", { since: "3.18" }),
  tos: optional(6, "uint32", { since: "3.19" }),
  ttl: optional(7, "uint32", { since: "4.0" }),
});
export type IpOptsEntry = Value<typeof IP_OPTS_ENTRY>;

export const TCP_OPTS_ENTRY = message("tcp_opts_entry", "", {
  cork: optional(1, "bool"),
  nodelay: optional(2, "bool"),
  keepcnt: optional(3, "uint32"),
  keepidle: optional(4, "uint32"),
  keepintvl: optional(5, "uint32"),
});
export type TcpOptsEntry = Value<typeof TCP_OPTS_ENTRY>;

export const INET_SK_ENTRY = message("inet_sk_entry", "", {
  id: required(1, "uint32"),
  ino: required(2, "uint32"),
  family: required(3, "uint32", { show: { as: "names", table: SK_FAMILY } }),
  type: required(4, "uint32", { show: { as: "names", table: SK_TYPE } }),
  proto: required(5, "uint32", { show: { as: "names", table: SK_PROTO } }),
  state: required(6, "uint32", { show: { as: "names", table: SK_STATE } }),
  src_port: required(7, "uint32"),
  dst_port: required(8, "uint32"),
  flags: required(9, "uint32", { show: { as: "hex" } }),
  backlog: required(10, "uint32"),
  src_addr: repeated(11, "uint32", { show: { as: "ip" }, holds: "ip-address" }),
  dst_addr: repeated(12, "uint32", { show: { as: "ip" }, holds: "ip-address" }),
  fown: required(13, FOWN_ENTRY),
  opts: required(14, SK_OPTS_ENTRY),
  v6only: optional(15, "bool"),
  ip_opts: optional(16, IP_OPTS_ENTRY, { since: "1.8" }),
  ifname: optional(17, "string", { holds: "interface", since: "1.8" }),
  ns_id: optional(18, "uint32", { since: "3.8" }),
  shutdown: optional(19, SK_SHUTDOWN, { since: "3.0" }),
  tcp_opts: optional(20, TCP_OPTS_ENTRY, { since: "4.0" }),
});
export type InetSkEntry = Value<typeof INET_SK_ENTRY>;

export const TCP_STREAM_ENTRY = message("tcp_stream_entry", "", {
  inq_len: required(1, "uint32"),
  inq_seq: required(2, "uint32"),
  outq_len: required(3, "uint32"),
  outq_seq: required(4, "uint32"),
  opt_mask: required(5, "uint32", { show: { as: "hex" } }),
  snd_wscale: required(6, "uint32"),
  mss_clamp: required(7, "uint32"),
  rcv_wscale: optional(8, "uint32"),
  timestamp: optional(9, "uint32", { since: "0.4" }),
  cork: optional(10, "bool", { since: "0.8", deprecated: true }),
  nodelay: optional(11, "bool", { since: "0.8", deprecated: true }),
  unsq_len: optional(12, "uint32", { since: "1.0" }),
  snd_wl1: optional(13, "uint32", { since: "2.5" }),
  snd_wnd: optional(14, "uint32", { since: "2.5" }),
  max_window: optional(15, "uint32", { since: "2.5" }),
  rcv_wnd: optional(16, "uint32", { since: "2.5" }),
  rcv_wup: optional(17, "uint32", { since: "2.5" }),
});
export type TcpStreamEntry = Value<typeof TCP_STREAM_ENTRY>;
