import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { FOWN_ENTRY } from "./fown.js";
import { SK_OPTS_ENTRY } from "./sk-opts.js";

export const PACKET_MCLIST = message("packet_mclist", "", {
  index: required(1, "uint32"),
  type: required(2, "uint32"),
  addr: required(3, "bytes", { holds: "link-address" }),
});
export type PacketMclist = Value<typeof PACKET_MCLIST>;

export const PACKET_RING = message("packet_ring", "", {
  block_size: required(1, "uint32"),
  block_nr: required(2, "uint32"),
  frame_size: required(3, "uint32"),
  frame_nr: required(4, "uint32"),
  retire_tmo: required(5, "uint32"),
  sizeof_priv: required(6, "uint32"),
  features: required(7, "uint32"),
});
export type PacketRing = Value<typeof PACKET_RING>;

export const PACKET_SOCK_ENTRY = message("packet_sock_entry", "", {
  id: required(1, "uint32"),
  type: required(2, "uint32"),
  protocol: required(3, "uint32"),
  flags: required(4, "uint32", { show: { as: "hex" } }),
  ifindex: required(5, "uint32"),
  fown: required(6, FOWN_ENTRY),
  opts: required(7, SK_OPTS_ENTRY),
  version: required(8, "uint32"),
  reserve: required(9, "uint32"),
  aux_data: required(10, "bool"),
  orig_dev: required(11, "bool"),
  vnet_hdr: required(12, "bool"),
  loss: required(13, "bool"),
  timestamp: required(14, "uint32"),
  copy_thresh: required(15, "uint32"),
  mclist: repeated(16, PACKET_MCLIST),
  fanout: optional(17, "uint32", { default: 4294967295 }),
  rx_ring: optional(18, PACKET_RING),
  tx_ring: optional(19, PACKET_RING),
  ns_id: optional(20, "uint32", { since: "3.8" }),
});
export type PacketSockEntry = Value<typeof PACKET_SOCK_ENTRY>;
