import { PACKET_VERSIONS, SOCKET_TYPES } from "../../../linux/sockets.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY } from "./sk-opts.js";

export const PACKET_MCLIST = message("packet_mclist", "A multicast membership of a packet socket.", {
  index: required(1, "uint32", { doc: "ifindex of the device" }),
  type: required(2, "uint32", { doc: "PACKET_MR_* number" }),
  addr: required(3, "bytes", { holds: "link-address" }),
});
export type PacketMclist = Value<typeof PACKET_MCLIST>;

export const PACKET_RING = message("packet_ring", "A ring of a packet socket, packet(7).", {
  block_size: required(1, "uint32", { doc: "bytes of a block" }),
  block_nr: required(2, "uint32", { doc: "number of blocks" }),
  frame_size: required(3, "uint32", { doc: "bytes of a frame" }),
  frame_nr: required(4, "uint32", { doc: "number of frames" }),
  retire_tmo: required(5, "uint32", {
    doc: "milliseconds after which a partial block is retired",
  }),
  sizeof_priv: required(6, "uint32", { doc: "private bytes of the program in each block" }),
  features: required(7, "uint32", { doc: "TP_FT_REQ_* bits" }),
});
export type PacketRing = Value<typeof PACKET_RING>;

export const PACKET_SOCK_ENTRY = message("packet_sock_entry", "A packet socket, packet(7).", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  type: required(2, "uint32", { domain: SOCKET_TYPES }),
  protocol: required(3, "uint32", { doc: "ETH_P_* number in network byte order, as socket(2) takes it" }),
  flags: required(4, "uint32", { show: { as: "hex" } }),
  ifindex: required(5, "uint32", { doc: "device, 0 for all" }),
  fown: required(6, FOWN_ENTRY),
  opts: required(7, SK_OPTS_ENTRY),
  version: required(8, "uint32", {
    doc: "layout of the ring: 0 to 2 for TPACKET_V1 to V3",
    domain: PACKET_VERSIONS,
  }),
  reserve: required(9, "uint32", { doc: "bytes of headroom in each frame" }),
  aux_data: required(10, "bool"),
  orig_dev: required(11, "bool"),
  vnet_hdr: required(12, "bool"),
  loss: required(13, "bool"),
  timestamp: required(14, "uint32", { doc: "PACKET_TIMESTAMP value" }),
  copy_thresh: required(15, "uint32", { doc: "size above which packets are also queued" }),
  mclist: repeated(16, PACKET_MCLIST),
  fanout: optional(17, "uint32", { doc: "PACKET_FANOUT value, all ones for none", default: 4294967295 }),
  rx_ring: optional(18, PACKET_RING),
  tx_ring: optional(19, PACKET_RING),
  ns_id: optional(20, "uint32", { doc: "network namespace", since: "3.8" }),
});
export type PacketSockEntry = Value<typeof PACKET_SOCK_ENTRY>;
